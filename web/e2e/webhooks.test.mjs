// A webhook from its address to what arrives: made in the console, tested, told of somebody who enters,
// in trouble, sent again, paused and deleted; the receiver verifies with the code that the console shows.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond, receiver
const words = {
  'zh-CN': { create: '新建回调', name: '名称', url: '接收地址', make: '创建', done: '完成', test: '发送测试', arrived: /测试已送达/, failing: '重试中', refused: /接收方返回了错误/, now: '立即重试', nothing: '没有待发送的内容', pause: '暂停', lost: /不会补发/, paused: '已暂停', more: '更多', remove: '删除' },
  en: { create: 'New webhook', name: 'Name', url: 'Address', make: 'Create', done: 'Done', test: 'Send a test', arrived: /The test arrived/, failing: 'Trying again', refused: /answered with an error/, now: 'Try now', nothing: 'Nothing waits', pause: 'Pause', lost: /also not later/, paused: 'Paused', more: 'More', remove: 'Delete' },
}

/** The code that the console shows for Node.js. */
async function sample() {
  const text = readFileSync(new URL('../src/features/webhooks/samples.ts', import.meta.url), 'utf8')
  const code = /node: `([^`]*)`/.exec(text)[1]
  return (await import('data:text/javascript,' + encodeURIComponent(code))).verify
}

/** The other system: answers as it is told, and keeps what it got and could verify. */
async function startReceiver() {
  const verify = await sample()
  const r = { status: 204, secret: '', got: [], forged: 0 }
  const server = createServer((req, res) => {
    let body = ''
    req.on('data', (d) => (body += d))
    req.on('end', () => {
      if (!verify(r.secret, req.headers, body)) r.forged++
      else if (r.status < 300) r.got.push({ id: req.headers['webhook-id'], ...JSON.parse(body) })
      res.writeHead(r.status).end()
    })
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  r.url = `http://127.0.0.1:${server.address().port}/hook?key=1`
  r.stop = () => new Promise((done) => server.close(done))
  return r
}

before(async () => {
  receiver = await startReceiver()
  pond = await startDemo(400, ['--outbound-private'])
}, { timeout: 150_000 })
after(async () => {
  await pond?.stop()
  await receiver?.stop()
})

for (const lang of Object.keys(words)) {
  test(`${lang}: a webhook is made, tested, told, mended, paused and deleted`, async () => {
    const w = words[lang]
    const { page, ctx, faults } = await pond.signedIn(lang)
    const api = (path, data) => page.request.post(pond.url + path, { data }).then(async (r) => (assert.ok(r.ok(), `${path}: ${r.status()} ${await r.text()}`), r.json()))
    const user = `e2e-hook-${lang}`, event = `tea.poured.${lang.slice(0, 2)}`
    const { secret } = await api('/api/write-keys', { name: `e2e ${lang}` })
    const pour = (who) => page.request.post(pond.url + '/v1/track', { headers: { Authorization: 'Basic ' + Buffer.from(secret + ':').toString('base64') }, data: { userId: who, event, properties: {} } }).then((r) => assert.equal(r.status(), 200))
    const { segment } = await api('/api/segments', { name: `E2E ${lang} ${Date.now()}`, kind: 'dynamic', rule: { v: 1, event: { name: event, op: 'gte', value: 1 } } })
    await until('the segment is worked out', async () => (await (await page.request.get(`${pond.url}/api/segments/${segment.id}`)).json()).status === 'ready')

    // Made, with the secret shown this once.
    await page.goto(pond.url + '/webhooks')
    await page.getByRole('button', { name: w.create }).first().click()
    await page.getByLabel(w.name, { exact: true }).fill(`CRM ${lang}`)
    await page.getByLabel(w.url, { exact: true }).fill(receiver.url)
    await page.getByRole('button', { name: w.make, exact: true }).click()
    receiver.secret = await page.getByText(/^whsec_/).textContent()
    await page.getByRole('button', { name: w.done, exact: true }).click()
    await page.waitForURL(/\/webhooks\/wh_/)
    assert.equal(await page.getByText(receiver.secret).count(), 0)

    receiver.got.length = 0
    await page.getByRole('button', { name: w.test }).click()
    await page.getByText(w.arrived).waitFor()
    assert.deepEqual(receiver.got.map((d) => d.type), ['test'])

    // Somebody enters while the receiver is in trouble: the page says so, and it goes out again.
    receiver.status = 500
    await pour(user)
    await page.getByText(w.failing, { exact: true }).waitFor({ timeout: 20_000 })
    await page.getByRole('table').getByText(w.refused).waitFor()
    receiver.status = 204
    await page.getByRole('button', { name: w.now }).click()
    await until('it arrives', () => receiver.got.length === 2)
    const [told] = receiver.got[1].events
    assert.deepEqual([told.event, told.segment.id, told.live], ['segment.entered', segment.id, true])
    await page.getByText(w.nothing).waitFor({ timeout: 20_000 })

    // Paused after saying what that loses: nothing is told.
    await page.getByRole('button', { name: w.pause, exact: true }).click()
    const ask = page.getByRole('dialog')
    await ask.getByText(w.lost).waitFor()
    await ask.getByRole('button', { name: w.pause, exact: true }).click()
    await page.getByText(w.paused, { exact: true }).waitFor()
    await pour(user + '-2')
    await until('the second is in', async () => (await (await page.request.get(`${pond.url}/api/segments/${segment.id}/members`)).json()).total === 2)
    assert.equal(receiver.got.length, 2)

    await page.getByRole('button', { name: w.more, exact: true }).click()
    await page.getByRole('menuitem', { name: w.remove }).click()
    await page.getByRole('dialog').getByRole('button', { name: w.remove }).click()
    await page.waitForURL(/\/webhooks$/)
    await until('it is gone', async () => !(await (await page.request.get(pond.url + '/api/webhooks')).json()).items.some((x) => x.name === `CRM ${lang}`))
    assert.equal(receiver.forged, 0)
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}

/** Waits until something is so. */
async function until(what, ask, ms = 20_000) {
  const end = Date.now() + ms
  while (!(await ask())) {
    assert.ok(Date.now() < end, `not so in time: ${what}`)
    await new Promise((r) => setTimeout(r, 200))
  }
}
