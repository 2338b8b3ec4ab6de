// A colleague leaves the simulated company: what they leave behind goes to others in equal shares, in both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

const ask = async (page, path) => {
  const answer = await page.request.get(pond.url + path)
  assert.equal(answer.status(), 200, await answer.text())
  return answer.json()
}

/** Polls until the answer is as wished. */
async function until(what, look) {
  for (const end = Date.now() + 40_000; ; ) {
    const got = await look()
    if (got) return got
    assert.ok(Date.now() < end, what)
    await new Promise((r) => setTimeout(r, 250))
  }
}

test('zh-CN, en: customers and groups of a leaver go to two colleagues', async () => {
  const { page, ctx, faults } = await pond.signedIn('zh-CN')
  const account = (await until('the first sync begins by itself', async () => (await ask(page, '/api/colleagues/accounts')).items.find((a) => a.syncedAt)))
  const leaver = await until('who left is known', async () => (await ask(page, `/api/leavers?account=${account.id}`)).items.find((l) => l.waiting > 1 && l.groups > 0))
  assert.equal(leaver.name, '白若溪')

  await page.goto(pond.url + '/staff?tab=leavers')
  await page.locator('tr', { hasText: leaver.name }).first().click()
  await page.getByRole('button', { name: '分配客户与群聊' }).click()
  const box = page.getByRole('combobox', { name: '接替成员' })
  for (const name of ['秦明月', '周予安']) {
    await box.fill(name)
    await page.locator('.ant-select-item-option', { hasText: name }).click()
  }
  await page.getByText('白若溪 留下的客户').click() // the list closes
  await page.getByText(/平均分给/).waitFor()
  await page.getByRole('button', { name: `交接 ${leaver.waiting} 位客户` }).click()
  const made = await until('two hand-overs', async () => {
    const list = (await ask(page, `/api/handovers?account=${account.id}&from=${leaver.id}`)).items
    return list.length === 2 && list
  })
  assert.equal(made[0].total + made[1].total, leaver.waiting)
  assert.ok(Math.abs(made[0].total - made[1].total) <= 1, 'equal shares')
  await until('the platform takes them, and groups go over at once', async () => {
    const list = (await ask(page, `/api/handovers?account=${account.id}&from=${leaver.id}`)).items
    const sum = (key, state) => list.reduce((n, h) => n + (h[key][state] ?? 0), 0)
    return sum('counts', 'waiting') === leaver.waiting && sum('groups', 'done') === leaver.groups
  })
  const csv = await page.request.get(pond.url + `/api/handovers/${made[0].id}/customers.csv`)
  assert.equal(csv.status(), 200)
  assert.equal((await csv.text()).trim().split('\n').length, made[0].total + 1)
  assert.deepEqual(faults, [])
  await ctx.close()

  const english = await pond.signedIn('en')
  await english.page.goto(pond.url + '/staff?tab=handovers')
  await english.page.getByText(/waiting/i).first().waitFor()
  await english.page.getByText(leaver.name).first().waitFor()
  assert.deepEqual(english.faults, [])
  await english.ctx.close()
})
