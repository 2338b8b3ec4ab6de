// Defining an attribute, setting it on a customer's page, its history, and a change of
// type with a value that does not fit. Looked for by marks and figures, not words.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

/** The customer to work on. */
async function somebody(page) {
  const list = await (await page.request.get(`${pond.url}/api/contacts?limit=1&sort=created`)).json()
  return list.items[0].id
}

/** Picks the nth entry of the select that is open. */
const pick = (page, nth) => page.locator('.ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option').nth(nth).click()

for (const lang of ['zh-CN', 'en']) {
  const key = `flow_${lang.slice(0, 2)}`
  test(`${lang}: an attribute is defined, set on a profile, and tells its history`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    await page.goto(pond.url + '/attributes')
    await page.locator('.kp-page button.ant-btn-primary, main button.ant-btn-primary').first().click()
    await page.locator('#key').fill(key)
    await page.locator('#nameZh').fill(`口味 ${key}`)
    await page.locator('#type').click()
    await page.keyboard.press('ArrowDown')
    for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.locator('#choices').fill('清香\n浓醇')
    await page.locator('.ant-drawer form button[type=submit]').click()
    await page.locator('code', { hasText: key }).first().waitFor()
    const defined = await (await page.request.get(`${pond.url}/api/attributes/${key}`)).json()
    assert.equal(defined.type, 'enum')
    assert.deepEqual(defined.options.map((o) => o.label), ['清香', '浓醇'])

    const id = await somebody(page)
    await page.goto(`${pond.url}/contacts/${id}`)
    const row = page.locator(`[data-attribute="${key}"]`)
    for (const [nth, label] of [[0, '清香'], [1, '浓醇']]) {
      await row.locator('dd button').first().click()
      await row.locator('.ant-select').click()
      await pick(page, nth)
      await row.locator('button[type=submit]').click()
      await row.locator('dd', { hasText: label }).waitFor()
      await row.locator('form').waitFor({ state: 'detached' })
    }
    await row.locator('dd button').nth(1).click()
    const changes = page.locator('.ant-popover li')
    await changes.first().waitFor()
    assert.equal(await changes.count(), 2)
    assert.match(await changes.first().innerText(), /清香 → 浓醇/)
    assert.deepEqual(faults, [])
    await ctx.close()
  })

  test(`${lang}: a change of type shows first what does not fit`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const key = `visits_${lang.slice(0, 2)}`
    const id = await somebody(page)
    const csrf = { origin: pond.url }
    const made = await page.request.post(`${pond.url}/api/attributes`, { headers: csrf, data: { key, nameZh: key, type: 'text', indexed: true } })
    assert.ok(made.ok(), await made.text())
    await page.request.patch(`${pond.url}/api/contacts/${id}`, { headers: csrf, data: { attributes: { [key]: '很多次' } } })
    await page.goto(pond.url + '/attributes')
    await page.locator('tr', { hasText: key }).first().locator('button').click()
    await page.locator('.ant-drawer form button').nth(-3).click()
    const dialog = page.locator('.ant-modal')
    await dialog.locator('button').filter({ hasNotText: /^$/ }).first().click()
    const examples = dialog.getByTestId('retype-examples').locator('li')
    await examples.first().waitFor()
    assert.match(await examples.first().innerText(), /很多次/)
    await dialog.locator('button.ant-btn-primary').click()
    await dialog.waitFor({ state: 'detached' })
    for (let i = 0; i < 100; i++) {
      const now = await (await page.request.get(`${pond.url}/api/attributes/${key}`)).json()
      if (now.type === 'number' && !now.settling) break
      assert.ok(i < 99, `still ${now.type}`)
      await page.waitForTimeout(100)
    }
    await page.goto(`${pond.url}/contacts/${id}`)
    await page.locator(`[data-attribute="${key}"] dd`, { hasText: '很多次' }).waitFor() // kept, and marked
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
