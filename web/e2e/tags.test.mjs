// Tagging everybody who matches, its undo, and an exclusive tag on a profile, in both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: everybody who matches is tagged, counted, and untagged by undo`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const name = `${lang} ${Date.now()}`
    await page.goto(pond.url + '/tags')
    const field = page.locator('.kp-panel input').last()
    await field.fill(name)
    await field.press('Enter')
    const line = page.locator('li', { hasText: name })
    await line.waitFor()
    const count = line.locator('[data-tag]')
    assert.equal(await count.innerText(), '0')

    await page.goto(pond.url + '/contacts')
    await page.locator('tbody tr [data-channel]').first().waitFor()
    const { total } = await (await page.request.get(`${pond.url}/api/contacts?limit=1`)).json()
    await page.locator('thead input[type=checkbox]').check()
    await page.locator('[role=region] .ant-btn-link').first().click()
    await page.locator('[role=region] .ant-btn-primary').click()
    const dialog = page.locator('[role=dialog]')
    await dialog.locator('input[role=combobox]').fill(name)
    await page.locator(`.ant-select-item-option-active[title="${name}"]`).waitFor()
    await dialog.locator('input[role=combobox]').press('Enter')
    await dialog.locator('input[role=combobox]').press('Tab')
    await dialog.locator('.ant-btn-primary:not([disabled])').press('Enter') // the open menu may lie over it
    const undo = dialog.locator('button:has(svg.lucide-undo-2)')
    await undo.waitFor({ timeout: 60_000 })

    const shown = async () => Number((await count.innerText()).replaceAll(/\D/g, ''))
    await dialog.locator('.ant-btn-primary').click()
    await page.goto(pond.url + '/tags')
    await count.waitFor()
    assert.equal(await shown(), total)
    await page.goto(pond.url + '/tags?tab=runs')
    await page.locator('tbody tr', { hasText: name }).locator('button:has(svg.lucide-undo-2)').click()
    await page.locator('[role=dialog] .ant-btn-dangerous').click()
    await page.locator('tbody tr', { hasText: name }).locator('button:has(svg.lucide-undo-2)').waitFor({ state: 'detached' })
    await page.waitForFunction(async (n) => {
      const { groups } = await (await fetch('/api/tags')).json()
      return groups.flatMap((g) => g.tags).find((x) => x.name === n)?.contacts === 0
    }, name, { timeout: 60_000 })
    assert.deepEqual(faults, [])
    await ctx.close()
  })

  test(`${lang}: a tag of an exclusive group takes the other's place on a profile`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const group = `${lang} ${Date.now()}`
    await page.goto(pond.url + '/tags')
    await page.locator('.kp-panel-extra button').first().click()
    const form = page.locator('[role=dialog] form')
    await form.locator('input').first().fill(group)
    await form.locator('input[type=checkbox]').check()
    await form.locator('button[type=submit]').click()
    await page.locator('button[aria-current]', { hasText: group }).click()
    await page.waitForFunction(() => !document.querySelector('.kp-panel li [data-tag]')) // the new group is shown: it is empty
    const field = page.locator('.kp-panel input').last()
    for (const name of [`${group} A`, `${group} B`]) {
      await field.fill(name)
      await field.press('Enter')
      await page.locator('li', { hasText: name }).waitFor()
    }
    const { items } = await (await page.request.get(`${pond.url}/api/contacts?sort=orders&limit=1`)).json()
    await page.goto(`${pond.url}/contacts/${items[0].id}`)
    for (const name of [`${group} A`, `${group} B`]) {
      await page.locator('button[aria-expanded]:has(svg.lucide-plus)').first().click()
      await page.locator('.ant-popover input[role=combobox]').fill(name)
      await page.locator(`.ant-select-item-option-active[title="${name}"]`).waitFor()
      await page.locator('.ant-popover input[role=combobox]').press('Enter')
      await page.locator('.ant-popover button[type=submit]').click()
      await page.locator('.kp-tag', { hasText: name }).waitFor()
      await page.locator('.ant-popover form').waitFor({ state: 'detached' })
    }
    assert.equal(await page.locator('.kp-tag', { hasText: `${group} A` }).count(), 0)
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
