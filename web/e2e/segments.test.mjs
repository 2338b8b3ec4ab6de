// A segment from its rule to its people: written in the builder, estimated, saved, asked why,
// used as a filter, and followed as a fact comes in; in both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond, secret
const langs = ['zh-CN', 'en']
const user = (lang, n) => `e2e-${lang}-${n}`
const send = (page, path, data) => page.request.post(pond.url + path, { headers: { Authorization: 'Basic ' + Buffer.from(secret + ':').toString('base64') }, data }).then((r) => assert.equal(r.status(), 200))

before(async () => {
  pond = await startDemo()
  // Everybody of both tests is known before either asks: estimates may be a minute old.
  const { page, ctx } = await pond.signedIn('en')
  secret = (await (await page.request.post(pond.url + '/api/write-keys', { data: { name: 'e2e' } })).json()).secret
  for (const lang of langs) for (const n of [1, 2]) await send(page, '/v1/identify', { userId: user(lang, n), traits: { name: `E2E ${lang} ${n}`, city: words[lang].home } })
  await until('everybody is known', async () => (await (await page.request.get(`${pond.url}/api/contacts?q=E2E`)).json()).total === 4)
  await ctx.close()
}, { timeout: 150_000 })
after(() => pond?.stop())

const words = {
  'zh-CN': { nav: '人群', create: '新建人群', name: '名称', add: '加条件', search: '搜索条件', value: '值', city: '城市', home: '漠河', save: '保存', why: '为什么', who: '选择客户', in: '在人群里', holds: '符合', inList: '在客户列表中打开', members: '成员', mine: '所在人群' },
  en: { nav: 'Segments', create: 'New segment', name: 'Name', add: 'Add condition', search: 'Search conditions', value: 'Value', city: 'City', home: 'Mohe', save: 'Save', why: 'Why', who: 'Choose a contact', in: 'In the segment', holds: 'Holds', inList: 'Open in contacts', members: 'Members', mine: 'Segments' },
}

for (const lang of langs) {
  test(`${lang}: a segment of what people are and did is written, kept, explained, filtered by and followed`, async () => {
    const w = words[lang]
    const { page, ctx, faults } = await pond.signedIn(lang)
    const api = (path, data, method = 'post') => page.request[method](pond.url + path, { data }).then(async (r) => (assert.ok(r.ok(), `${path}: ${r.status()} ${await r.text()}`), r.json()))
    const event = `tea.tasted.${lang.slice(0, 2)}`

    // Somebody did it before the segment is made, so that there is somebody to ask about.
    const taste = (n) => send(page, '/v1/track', { userId: user(lang, n), event, properties: { cups: 3 } })
    await taste(1)
    const known = async (n) => (await api(`/api/contacts?q=${encodeURIComponent(`E2E ${lang} ${n}`)}`, undefined, 'get')).items[0]
    await until('the event can be spoken of', async () => (await api('/api/rules/events?limit=500', undefined, 'get')).items.some((e) => e.name === event))

    // Written in the builder: an event, and a field.
    await page.goto(pond.url + '/segments')
    await page.getByRole('button', { name: w.create, exact: true }).click()
    const name = `E2E ${lang} ${Date.now()}`
    await page.getByLabel(w.name, { exact: true }).fill(name)
    const add = async (text) => {
      await page.getByRole('button', { name: w.add, exact: true }).click()
      await page.getByRole('combobox', { name: w.search }).fill(text)
      await page.getByRole('option', { selected: true }).waitFor()
      await page.keyboard.press('Enter')
    }
    await add(event)
    await add(w.city)
    await page.locator('[data-part]').nth(1).getByLabel(w.value, { exact: true }).fill(w.home)
    await page.waitForFunction(() => document.querySelector('[data-testid=estimate]')?.textContent === '1' && !document.querySelector('[aria-busy=true]'))
    await page.getByRole('button', { name: w.save, exact: true }).click()
    await page.waitForURL(/\/segments\/sg_[^/]+$/)
    const id = page.url().split('/').at(-1)
    const segment = await until('its members are worked out', async () => {
      const s = await api(`/api/segments/${id}`, undefined, 'get')
      return s.status === 'ready' && s
    })
    assert.deepEqual(segment.rule.all.map((n) => n.event?.name ?? n.field), [event, 'city'])

    // Its members, and why one of them is in.
    const first = await known(1)
    await page.getByRole('tab', { name: w.members }).click()
    await page.getByRole('link', { name: new RegExp(`E2E ${lang} 1`) }).waitFor()
    await page.goto(`${pond.url}/segments/${id}?tab=why`)
    await page.getByRole('combobox', { name: w.who }).fill(`E2E ${lang} 1`)
    await page.locator('.ant-select-dropdown:visible .ant-select-item-option').first().click()
    await page.getByText(w.in, { exact: true }).waitFor()
    assert.equal(await page.getByRole('img', { name: w.holds, exact: true }).count(), 3, 'the rule and both of its conditions hold')

    // Dragged with the keyboard, taken back with Ctrl+Z.
    await page.goto(`${pond.url}/segments/${id}/edit`)
    const order = () => page.locator('[data-part]').evaluateAll((all) => all.map((p) => (p.textContent?.includes('tea.tasted') ? 'event' : 'field')))
    await page.locator('[data-part]').nth(1).waitFor()
    const before = await order()
    await page.locator('[data-part] [data-handle]').first().focus()
    await page.keyboard.press('Space')
    await page.waitForTimeout(300)
    for (let i = 0; i < 3; i++) {
      await page.keyboard.press('ArrowDown')
      await page.waitForTimeout(150)
    }
    await page.keyboard.press('Space')
    await until('the first condition is the second', async () => (await order()).join() === before.toReversed().join())
    await page.keyboard.press('Control+z')
    await until('the order is as it was', async () => (await order()).join() === before.join())

    // As a filter of the list of contacts.
    await page.goto(`${pond.url}/segments/${id}`)
    await page.getByRole('button', { name: w.inList }).click()
    await page.waitForURL((u) => u.searchParams.get('where')?.includes(id))
    await page.getByRole('link', { name: new RegExp(`E2E ${lang} 1`) }).waitFor()

    // Somebody else does it: they are in within seconds, and their profile says so.
    const at = Date.now()
    await taste(2)
    await until('the second person entered', async () => (await api(`/api/segments/${id}/members`, undefined, 'get')).total === 2, 10_000)
    console.log(`${lang}: entered within ${Date.now() - at} ms`)
    const second = await known(2)
    await page.goto(`${pond.url}/contacts/${second.id}`)
    await page.getByRole('list', { name: w.mine }).getByRole('link', { name, exact: true }).waitFor()
    assert.notEqual(first.id, second.id)
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}

/** Waits until something is so, and gives it. */
async function until(what, ask, ms = 20_000) {
  const end = Date.now() + ms
  for (;;) {
    const got = await ask()
    if (got) return got
    assert.ok(Date.now() < end, `not so in time: ${what}`)
    await new Promise((r) => setTimeout(r, 200))
  }
}
