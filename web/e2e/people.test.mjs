// From a name to a profile, and from an order to its buyer, in both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: a person is found by name, opened and noted`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    // Somebody whose name nobody of the pond resembles, with something on the timeline.
    const name = { 'zh-CN': '褚漪澜', en: 'Quillon Zabriskie' }[lang]
    const made = await page.request.post(pond.url + '/api/contacts', { data: { name, phone: { 'zh-CN': '13900001111', en: '13900002222' }[lang] } })
    assert.equal(made.status(), 200, await made.text())
    const { id, phone } = await made.json()
    for (const until = Date.now() + 60_000; ; await new Promise((r) => setTimeout(r, 200))) {
      const { items } = await (await page.request.get(`${pond.url}/api/contacts/${id}/timeline`)).json()
      if (items.length > 0) break
      assert.ok(Date.now() < until, 'the timeline stays empty')
    }
    await page.goto(pond.url + '/contacts')
    await page.locator('input[type=search]').first().fill(name)
    await page.waitForURL((u) => u.searchParams.get('q') === name)
    const row = page.locator(`tbody a[href="/contacts/${id}"]`)
    await row.waitFor()
    for (const text of await page.locator('tbody tr .kp-person b').allInnerTexts()) assert.ok(text.startsWith(name), text)
    assert.ok((await row.innerText()).includes(phone), 'the phone number is masked')
    assert.match(phone, /\*/)
    await row.click()
    await page.waitForURL((u) => u.pathname === `/contacts/${id}`)
    await page.locator('h1', { hasText: name }).waitFor()
    await page.locator('section[aria-label] ol button[aria-expanded]').first().click()
    await page.locator('.kp-json').first().waitFor()

    await page.locator('[role=tab]').last().click()
    const note = `${lang} ${Date.now()}`
    await page.locator('textarea:not([aria-hidden])').fill(note)
    await page.locator('form button[type=submit]').click()
    const written = page.locator('li', { hasText: note })
    await written.waitFor()
    await written.locator('button').click()
    await page.locator('[role=dialog] .ant-btn-dangerous').click()
    await written.waitFor({ state: 'detached' })
    assert.deepEqual(faults, [])
    await ctx.close()
  })

  test(`${lang}: filters live in the address and survive a reload`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    await page.goto(pond.url + '/contacts?channel=offline&sort=orders&order=desc')
    const rows = page.locator('tbody tr [data-channel]')
    await rows.first().waitFor()
    assert.deepEqual(await rows.evaluateAll((all) => [...new Set(all.map((e) => e.dataset.channel))]), ['offline'])
    await page.reload()
    await rows.first().waitFor()
    await page.locator('.kp-filter-chip button').first().click()
    await page.waitForURL((u) => !u.searchParams.has('channel') && u.searchParams.get('sort') === 'orders')
    assert.deepEqual(faults, [])
    await ctx.close()
  })

  test(`${lang}: an order opens beside the list and leads to its buyer`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    await page.goto(pond.url + '/orders')
    await page.locator('tbody tr button.kp-cell-link').first().click()
    await page.waitForURL((u) => u.searchParams.has('order'))
    const drawer = page.locator('[role=dialog]')
    await drawer.locator('table tbody tr').first().waitFor()
    await drawer.locator('a[href^="/contacts/"]').click()
    await page.waitForURL(/\/contacts\//)
    await page.locator('h1').first().waitFor()
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
