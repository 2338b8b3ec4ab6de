// Two people become one by hand, and are taken apart again, in both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

/** What of a person must be as before, once a merge was undone. */
const look = async (page, id) => {
  const c = await (await page.request.get(`${pond.url}/api/contacts/${id}`)).json()
  const orders = await (await page.request.get(`${pond.url}/api/contacts/${id}/orders?limit=200`)).json()
  return { id: c.id, name: c.name, city: c.city, tags: c.tags.map((t) => t.id).sort(), identities: c.identities.map((i) => i.id).sort(), orders: c.orders, revenue: c.revenue, listed: orders.items.map((o) => o.id).sort() }
}

const used = new Set() // taken apart by hand they are kept apart

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: two people are merged by hand and taken apart again`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const { items } = await (await page.request.get(`${pond.url}/api/contacts?sort=orders&limit=8`)).json()
    const [a, b] = items.filter((c) => !used.has(c.id))
    for (const c of [a, b]) used.add(c.id)
    const [aWas, bWas] = [await look(page, a.id), await look(page, b.id)]
    assert.ok(aWas.orders > 0 && bWas.orders > 0)

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

    const whole = await look(page, b.id)
    assert.equal(whole.id, a.id, 'the address of the merged one leads to the survivor')
    assert.equal(whole.orders, aWas.orders + bWas.orders)
    assert.deepEqual(whole.listed, [...aWas.listed, ...bWas.listed].sort())
    for (const tag of [...aWas.tags, ...bWas.tags]) assert.ok(whole.tags.includes(tag))

    await undo.click()
    await page.locator('[role=dialog] section[aria-label] b').nth(1).waitFor()
    await page.locator('[role=dialog] button[type=submit]').click()
    await dialog.waitFor({ state: 'detached' })
    await undo.waitFor({ state: 'detached' })
    assert.deepEqual([await look(page, a.id), await look(page, b.id)], [aWas, bWas])
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
