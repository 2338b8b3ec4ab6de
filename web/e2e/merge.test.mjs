// Two people become one by hand, and are taken apart again, in both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

const langs = ['zh-CN', 'en']
let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

/** What of a person must be as before, once a merge was undone. Of tags those that the test gave: rules give others in their own time. */
const look = async (page, id, given) => {
  const c = await (await page.request.get(`${pond.url}/api/contacts/${id}`)).json()
  const orders = await (await page.request.get(`${pond.url}/api/contacts/${id}/orders?limit=200`)).json()
  return { id: c.id, name: c.name, city: c.city, tags: c.tags.map((t) => t.id).filter((t) => given.includes(t)).sort(), identities: c.identities.map((i) => i.id).sort(), orders: c.orders, revenue: c.revenue, listed: orders.items.map((o) => o.id).sort() }
}

/** Two people of the test's own who bought something, with tags of groups that allow several. */
async function buyers(page, lang) {
  const api = async (path, data) => {
    const answer = await page.request.fetch(pond.url + path, data ? { method: 'POST', data } : {})
    assert.ok(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`)
    return answer.json()
  }
  const { secret } = await api('/api/write-keys', { name: `merge ${lang}` })
  const people = []
  for (const [n, name] of [`合一${lang}甲`, `合一${lang}乙`].entries()) {
    const tags = []
    for (const tag of ['两人都有', `只有${n}`]) {
      const group = `合并 ${lang}`
      const known = (await api('/api/tags')).groups.find((g) => g.name === group)?.tags.find((t) => t.name === tag)
      tags.push((known ?? (await api('/api/tags', { group, name: tag }))).id)
    }
    const phone = `1382222${langs.indexOf(lang)}00${n}`
    const { id } = await api('/api/contacts', { name, phone, attributes: { city: ['杭州', '苏州'][n] }, tags })
    const userId = `e2e-${lang}-${n}`
    const properties = { orderNumber: userId, total: 5000 + n, currency: 'CNY', lines: [{ sku: 'TEA', name: '龙井', quantity: 1, price: 5000 + n, amount: 5000 + n }] }
    const batch = [{ type: 'identify', userId, traits: { phone } }, { type: 'track', event: 'order.paid', userId, properties }]
    const sent = await fetch(pond.url + '/v1/batch', { method: 'POST', headers: { authorization: 'Basic ' + btoa(secret + ':'), 'content-type': 'application/json' }, body: JSON.stringify({ batch }) })
    assert.equal(sent.status, 200, await sent.text())
    people.push({ id, name, tags })
  }
  for (const until = Date.now() + 60_000; ; await new Promise((r) => setTimeout(r, 200))) {
    const bought = await Promise.all(people.map(async ({ id }) => (await api(`/api/contacts/${id}`)).orders))
    if (bought.every((n) => n === 1)) return people
    assert.ok(Date.now() < until, `the orders do not reach their buyers: ${bought}`)
  }
}

for (const lang of langs) {
  test(`${lang}: two people are merged by hand and taken apart again`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const [a, b] = await buyers(page, lang)
    const given = [...a.tags, ...b.tags]
    const [aWas, bWas] = [await look(page, a.id, given), await look(page, b.id, given)]
    assert.deepEqual([aWas.orders, bWas.orders, aWas.tags.length, bWas.tags.length], [1, 1, 2, 2])

    await page.goto(`${pond.url}/contacts/${a.id}`)
    await page.locator('button:has(.lucide-git-merge)').click()
    const dialog = page.locator('[role=dialog]')
    await dialog.locator('input[type=search]').fill(b.name)
    await page.locator(`[data-pick="${b.id}"]`).click()
    await dialog.locator('section[aria-label] b').nth(2).waitFor()
    await dialog.locator('button[type=submit]').click()
    await dialog.waitFor({ state: 'detached' })
    const undo = page.locator('li[data-merge]', { hasText: b.name }).locator('button')
    await undo.waitFor()

    const whole = await look(page, b.id, given)
    assert.equal(whole.id, a.id, 'the address of the merged one leads to the survivor')
    assert.equal(whole.orders, aWas.orders + bWas.orders)
    assert.deepEqual(whole.listed, [...aWas.listed, ...bWas.listed].sort())
    assert.deepEqual(whole.tags, [...new Set([...aWas.tags, ...bWas.tags])].sort())

    await undo.click()
    await page.locator('[role=dialog] section[aria-label] b').nth(1).waitFor()
    await page.locator('[role=dialog] button[type=submit]').click()
    await dialog.waitFor({ state: 'detached' })
    await undo.waitFor({ state: 'detached' })
    assert.deepEqual([await look(page, a.id, given), await look(page, b.id, given)], [aWas, bWas])
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
