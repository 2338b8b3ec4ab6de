// Where people stand and what they are worth: a stage's rule edited, people moved by hand, the RFM
// grid down to its people, a tag that gives itself; in both languages. Everybody whom a test speaks
// of is sent in by it, so that nothing rests on what the demo happens to hold.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'
import { wordsIn } from './words.mjs'

let pond, secret
const DAY = 86_400_000

before(async () => {
  pond = await startDemo()
  const { page, ctx } = await pond.signedIn('en')
  secret = (await (await page.request.post(pond.url + '/api/write-keys', { data: { name: 'e2e' } })).json()).secret
  await ctx.close()
}, { timeout: 150_000 })
after(() => pond?.stop())

for (const lang of ['zh-CN', 'en']) {
  const say = wordsIn(lang)
  const run = Array.from({ length: 5 }, () => 'abcdefghijklmnopqrstuvwxyz'[Math.floor(Math.random() * 26)]).join('') // no digits: they are searched for as numbers
  const named = (what, n) => `E2E ${what} ${lang} ${run} ${n}`

  test(`${lang}: a stage's rule is edited, previewed and saved, and the board follows`, async () => {
    const { page, ctx, faults, api, send } = await begin(lang)
    const town = `Mohe ${lang} ${run}`
    for (const n of [1, 2]) await send('/v1/identify', { userId: named('stage', n), traits: { name: named('stage', n), city: town } })
    const machine = () => api('/api/lifecycle')
    const count = (m) => m.states.find((s) => s.id === 'new').count
    const inTown = async () => (await api('/api/contacts', { q: named('stage', '') })).items
    await until('both are known and new', async () => (await inTown()).filter((c) => c.stage?.id === 'new').length === 2)
    const was = await machine()
    const stage = was.states.find((s) => s.id === 'new').label

    await page.goto(pond.url + '/lifecycle')
    await page.getByRole('button', { name: say('lifecycle', 'lifecycle.edit') }).click()
    const drawer = page.getByRole('dialog')
    await drawer.getByRole('list', { name: say('lifecycle', 'edit.states') }).getByRole('button', { name: stage, exact: true }).click()
    const parts = await drawer.locator('[data-part]').count()
    await addCondition(page, say, lang === 'en' ? 'City' : '城市')
    await page.waitForFunction((n) => document.querySelectorAll('[role=dialog] [data-part]').length > n, parts)
    const part = drawer.locator('[data-part]').last()
    await part.getByRole('combobox', { name: say('rules', 'op.label') }).click()
    await page.locator('.ant-select-dropdown:visible').getByTitle(say('rules', 'op.isNot'), { exact: true }).click()
    await part.getByLabel(say('rules', 'value'), { exact: true }).fill(town)
    const moved = 2
    await drawer.getByRole('button', { name: say('lifecycle', 'edit.preview') }).click()
    await drawer.getByRole('status').getByText(say('lifecycle', 'edit.moved', { count: moved, total: number(moved, lang) }), { exact: true }).waitFor()
    await drawer.getByRole('button', { name: say('lifecycle', 'edit.save') }).click()
    await drawer.waitFor({ state: 'detached' })
    await until('everybody is sorted anew', async () => (await machine()).version > was.version && !(await machine()).job)
    const left = await machine()
    assert.equal(count(left), count(was) - 2)
    await page.getByRole('link', { name: say('lifecycle', 'state.open', { name: stage, count: number(count(left), lang) }) }).click()
    await page.waitForURL((u) => u.searchParams.get('where')?.includes('"new"'))
    assert.ok((await inTown()).every((c) => c.stage.id !== 'new'))

    // As it was, for the other tests.
    const now = await machine()
    await api('/api/lifecycle', { version: now.version, states: now.defaults }, 'put')
    await until('it is defined as it was', async () => !(await machine()).job)
    assert.deepEqual(faults, [])
    await ctx.close()
  })

  test(`${lang}: people are moved to a pool by hand, on the profile and in bulk, and let go again`, async () => {
    const { page, ctx, faults, api, send } = await begin(lang)
    for (const n of [1, 2]) await send('/v1/identify', { userId: named('pool', n), traits: { name: named('pool', n) } })
    const find = async (n) => (await api('/api/contacts', { q: named('pool', n) })).items[0]
    const first = await until('they stand in a pool', async () => (await find(2))?.pool && (await find(1))?.pool && find(1))
    const pools = (await api('/api/pools')).states
    const label = (id) => pools.find((p) => p.id === id).label
    assert.equal(first.pool.id, 'nurture')

    // On the profile, with a reason and for a time.
    await page.goto(`${pond.url}/contacts/${first.id}`)
    const mine = page.getByRole('region', { name: say('lifecycle', 'place.pools'), exact: true })
    await mine.getByRole('button', { name: say('lifecycle', 'place.one.pools') }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('combobox', { name: say('lifecycle', 'place.to.pools') }).click()
    await page.getByTitle(label('client'), { exact: true }).click()
    await dialog.getByRole('button', { name: say('lifecycle', 'place.span.7') }).click()
    await dialog.getByLabel(say('lifecycle', 'place.note')).fill('E2E VIP')
    await dialog.getByRole('button', { name: say('lifecycle', 'place.do'), exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
    await mine.getByText(label('client'), { exact: true }).first().waitFor()
    await mine.getByText('E2E VIP').first().waitFor()
    const me = (await api('/api/session')).user.name
    const told = lang === 'en' ? `${me} put them into the pool ${label('client')} by hand` : `${me} 手动从“${label('nurture')}”放进“${label('client')}”`
    await until('the timeline knows of it', async () => (await api(`/api/contacts/${first.id}/timeline`)).items.some((e) => e.name === 'pool.changed'))
    await page.reload()
    await page.getByText(told).first().waitFor()
    await page.getByText('E2E VIP').first().waitFor()

    // The page of pools knows, and lets go.
    await page.goto(pond.url + '/pools')
    const list = page.getByRole('list', { name: say('lifecycle', 'placed.title') })
    await list.getByRole('link', { name: named('pool', 1) }).waitFor()
    await list.getByRole('button', { name: say('lifecycle', 'placed.release', { name: named('pool', 1) }) }).click()
    await until('rules decide again', async () => (await find(1)).pool.id === 'nurture' && !(await find(1)).pool.pinnedUntil)

    // Both at once, from the list; and back.
    await page.goto(`${pond.url}/contacts?q=${encodeURIComponent(named('pool', ''))}`)
    await page.getByRole('link', { name: named('pool', 2) }).waitFor()
    await page.locator('thead input[type=checkbox]').check()
    await page.getByRole('button', { name: say('lifecycle', 'place.action') }).click()
    await dialog.getByRole('combobox', { name: say('lifecycle', 'place.to.pools') }).click()
    await page.getByTitle(label('convert'), { exact: true }).click()
    await dialog.getByLabel(say('lifecycle', 'place.note')).fill('E2E list')
    await dialog.getByText(say('lifecycle', 'place.will', { count: 2, total: 2 }), { exact: true }).waitFor()
    await dialog.locator('button[type=submit]').click()
    await dialog.getByText(say('lifecycle', 'place.placed', { count: 2, total: 2, moved: 2 }), { exact: true }).waitFor()
    assert.deepEqual([(await find(1)).pool.id, (await find(2)).pool.id], ['convert', 'convert'])
    await dialog.getByRole('button', { name: say('lifecycle', 'place.undo') }).click()
    await dialog.getByText(say('lifecycle', 'place.released', { count: 2, total: 2 }), { exact: true }).waitFor()
    await dialog.getByRole('button', { name: say('lifecycle', 'place.close'), exact: true }).last().click()
    assert.deepEqual([(await find(1)).pool.id, (await find(2)).pool.id], ['nurture', 'nurture'])
    assert.deepEqual(faults, [])
    await ctx.close()
  })

  test(`${lang}: an RFM model of one's own opens its people, follows its cuts, and shows who moved`, async () => {
    const { page, ctx, faults, api, send } = await begin(lang)
    const event = `tea.bought.${lang.slice(0, 2)}${run}`
    const bought = (n, times, days) =>
      Array.from({ length: times }, (_, i) => ({ type: 'track', messageId: `rfm-${lang}-${run}-${n}-${i}`, userId: named('rfm', n), event, timestamp: new Date(Date.now() - days * DAY - i * 1000).toISOString(), properties: { paid: 10 } }))
    for (const n of [1, 2]) await send('/v1/identify', { userId: named('rfm', n), traits: { name: named('rfm', n) } })
    await send('/v1/import', { batch: [...bought(1, 3, 3), ...bought(2, 1, 100)] })
    await until('both are known', async () => (await api('/api/contacts', { q: named('rfm', '') })).total === 2)
    const model = { name: named('rfm', 'x'), event, property: 'paid', less: '', days: 365 }
    await until('what they bought is counted', async () => (await api('/api/rfm/preview', { ...model }, 'post')).total.people === 2)

    await page.goto(pond.url + '/rfm')
    await page.getByRole('button', { name: say('rfm', 'model.new') }).click()
    const drawer = page.getByRole('dialog')
    for (const [field, value] of [['name', model.name], ['event', event], ['property', 'paid'], ['less', ''], ['days', '365']]) await drawer.getByLabel(say('rfm', `model.${field}`)).fill(value)
    await drawer.getByText(say('rfm', 'model.own'), { exact: true }).click()
    await drawer.getByRole('button', { name: say('rfm', 'model.preview') }).click()
    await drawer.getByText(say('rfm', 'model.would', { count: 2, total: 2 })).waitFor()
    await drawer.getByRole('button', { name: say('common', 'action.save') }).click()
    await drawer.waitFor({ state: 'detached' })
    const grid = page.getByRole('group', { name: say('rfm', 'grid.title') })
    const square = (r, f) => grid.getByRole('link', { name: new RegExp(`^R${r}\\D+F${f}\\D`) })
    await square(3, 1).waitFor() // bought once, 100 days ago
    await square(5, 3).click() // three times, three days ago
    await page.getByRole('link', { name: named('rfm', 1) }).waitFor()
    assert.equal(await page.getByRole('link', { name: named('rfm', 2) }).count(), 0)

    await page.goBack()
    await page.getByRole('button', { name: say('rfm', 'model.edit') }).click()
    const cut = say('rfm', 'model.cuts.f')
    for (const [i, n] of [1, 2, 3, 4].entries()) await drawer.getByLabel(`${cut} ${i + 1}`, { exact: true }).fill(String(n))
    await drawer.getByRole('button', { name: say('common', 'action.save') }).click()
    await drawer.waitFor({ state: 'detached' })
    await square(5, 4).waitFor()
    await square(3, 2).waitFor()
    assert.equal(await square(5, 3).count(), 0)

    // Ninety days back, one of them had just bought and the other not yet.
    const cell = (from, to) => page.getByRole('link', { name: say('rfm', 'moves.cell', { from, to, count: 1 }), exact: true })
    const label = (await api(`/api/rfm/models`)).items.length > 0 && Object.fromEntries((await api(`/api/rfm/models/${page.url().split('model=')[1]}`)).groups.map((g) => [g.id, g.label]))
    await cell(label.newcomer, label.casual).waitFor()
    await page.getByLabel(say('rfm', 'moves.from'), { exact: true }).fill(new Date(Date.now() - 120 * DAY).toISOString().slice(0, 10))
    await cell(say('rfm', 'moves.none'), label.casual).click()
    await page.getByRole('link', { name: named('rfm', 2) }).waitFor()
    assert.deepEqual(faults, [])
    await ctx.close()
  })

  test(`${lang}: a tag gives itself by a rule, says why, and stops`, async () => {
    const { page, ctx, faults, api, send } = await begin(lang)
    const event = `tea.reviewed.${lang.slice(0, 2)}${run}`
    const review = (n) => send('/v1/track', { userId: named('tag', n), event })
    for (const n of [1, 2]) await send('/v1/identify', { userId: named('tag', n), traits: { name: named('tag', n) } })
    await review(1)
    await until('the event can be spoken of', async () => (await api('/api/rules/events', { limit: 500 })).items.some((e) => e.name === event))
    const name = `E2E ${lang} ${Date.now() % 1e6}`
    const tag = await api('/api/tags', { group: `E2E ${lang}`, name }, 'post')
    const person = async (n) => (await api('/api/contacts', { q: named('tag', n) })).items[0]
    const has = async (n) => (await api(`/api/contacts/${(await person(n)).id}`)).tags.some((x) => x.id === tag.id)

    await page.goto(`${pond.url}/tags?automation=${tag.id}`)
    const drawer = page.getByRole('dialog')
    await addCondition(page, say, event)
    await drawer.getByText(named('tag', 1)).waitFor() // whom it would be given to, before anything changes
    await drawer.getByRole('button', { name: say('tags', 'auto.begin'), exact: true }).click()
    await drawer.getByText(say('tags', 'auto.state.ready'), { exact: true }).waitFor({ timeout: 20_000 })
    await until('who did it has it', () => has(1))
    await review(2)
    await until('whoever does it gets it', () => has(2), 15_000)

    // The profile says what gave it and when, and leads to the rule.
    await page.goto(`${pond.url}/contacts/${(await person(2)).id}`)
    const tags = page.getByRole('list', { name: say('contacts', 'col.tags') })
    await tags.getByText(name, { exact: true }).hover()
    await page.getByText(`${say('contacts', 'tags.source.rule')} · v1`).waitFor()
    await page.getByRole('link', { name: say('contacts', 'tags.why'), exact: true }).click()
    await drawer.getByText(say('tags', 'auto.version', { version: 1, name: (await api('/api/session')).user.name })).waitFor()

    // Taken off by hand, it stays off until somebody lifts that.
    await page.goto(`${pond.url}/contacts/${(await person(2)).id}`)
    await tags.getByRole('button', { name: say('contacts', 'tags.removeOne', { tag: name }) }).click()
    await until('it is off', async () => !(await has(2)))
    await page.goto(`${pond.url}/tags?automation=${tag.id}`)
    const away = drawer.getByRole('list', { name: say('tags', 'auto.exceptions') })
    await away.getByText(named('tag', 2)).waitFor()
    await away.getByRole('button', { name: say('tags', 'auto.lift') }).click()
    await until('it is given again', () => has(2))

    // Stopped, and taken from those who had it.
    await drawer.getByRole('button', { name: say('tags', 'auto.endTakeTags') }).click()
    await page.getByRole('dialog').last().getByRole('button', { name: say('tags', 'auto.end'), exact: true }).click()
    await until('nobody has it', async () => !(await has(1)) && !(await has(2)))
    await page.goto(`${pond.url}/tags?automation=${tag.id}`)
    await drawer.getByRole('button', { name: say('tags', 'auto.begin'), exact: true }).waitFor()
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}

/** A signed-in page with short ways to the API and the intake. */
async function begin(lang) {
  const opened = await pond.signedIn(lang)
  const { page } = opened
  const api = async (path, data, method = 'get') => {
    const headers = { 'Accept-Language': lang } // names come in the language of the page
    const r = await (method === 'get' ? page.request.get(pond.url + path, { params: data, headers }) : page.request[method](pond.url + path, { data, headers }))
    assert.ok(r.ok(), `${path}: ${r.status()} ${await r.text()}`)
    return r.json()
  }
  const send = async (path, data) => {
    const r = await page.request.post(pond.url + path, { headers: { Authorization: 'Basic ' + Buffer.from(secret + ':').toString('base64') }, data })
    assert.equal(r.status(), 200, await r.text())
  }
  return { ...opened, api, send }
}

/** Adds a condition to the rule that is on screen, by the words it is found under. */
async function addCondition(page, say, text) {
  await page.getByRole('button', { name: say('rules', 'addCondition'), exact: true }).last().click()
  await page.getByRole('combobox', { name: say('rules', 'pick.search') }).fill(text)
  await page.getByRole('option', { selected: true }).waitFor()
  await page.keyboard.press('Enter')
}

const number = (n, lang) => new Intl.NumberFormat(lang).format(n)

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
