// Two people with two roles look at one customer: one sees masks, the other
// opens a value with a reason, and the audit log has it. In both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, open } from './browser.mjs'
import { start } from './server.mjs'

const PHONE = '13800138123'
let server
let browser
const users = {}
let contact

before(async () => {
  server = await start()
  for (const [role, name] of [['admin', '沈知夏'], ['growth', '顾清和'], ['service', '林晓岚']])
    users[role] = { email: `${role}@example.com`, password: server.cli('user', 'create', '--name', name, '--email', `${role}@example.com`, '--role', role).trim().split('\n').at(-1) }
  browser = await launch()
  const { page, ctx } = await signedIn('admin', 'en')
  const made = await page.request.post(server.url + '/api/contacts', {
    data: { name: '王小明', phone: PHONE, attributes: { address: '杭州市龙井路 1 号' } },
  })
  assert.equal(made.status(), 200, await made.text())
  contact = await made.json()
  await ctx.close()
}, { timeout: 60_000 })
after(async () => {
  await browser?.close()
  await server?.stop()
})

async function signedIn(role, lang) {
  const opened = await open(browser, { lang })
  const answer = await opened.page.request.post(server.url + '/api/session', { data: users[role] })
  assert.equal(answer.status(), 200, await answer.text())
  return opened
}

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: masked for one role, opened with a reason by another, on record for all`, async () => {
    const reason = `${lang} ${Date.now()}`
    {
      const { page, ctx, faults } = await signedIn('growth', lang)
      await page.goto(`${server.url}/contacts?q=${PHONE}`)
      await page.locator(`tbody a[href="/contacts/${contact.id}"]`).click()
      await page.locator('dd', { hasText: '138****8123' }).first().waitFor()
      assert.equal(await page.locator('.kp-copy button .lucide-eye').count(), 0, 'no eye for a role without the permission')
      const html = await page.content()
      assert.ok(!html.includes(PHONE) && !html.includes('龙井路'), 'nothing in full anywhere on the page')
      await page.locator('[data-looks] li', { hasText: '顾清和' }).first().waitFor() // finding by a whole number is on record
      const refused = await page.request.post(`${server.url}/api/contacts/${contact.id}/unmask`, { data: { field: 'phone', reason } })
      assert.equal(refused.status(), 403, await refused.text())
      assert.deepEqual(faults, [])
      await ctx.close()
    }
    {
      const { page, ctx, faults } = await signedIn('service', lang)
      await page.goto(`${server.url}/contacts/${contact.id}`)
      const phone = page.locator('dl > div', { hasText: '138****8123' }).first()
      await phone.locator('button').first().click()
      const dialog = page.locator('[role=dialog]')
      await dialog.locator('button[type=submit]').click() // without a reason
      await dialog.locator('[role=alert], .ant-form-item-explain-error').first().waitFor()
      await dialog.locator('textarea').fill(reason)
      await dialog.locator('button[type=submit]').click()
      await page.locator('dd', { hasText: PHONE }).first().waitFor()
      await page.locator('[data-looks] li', { hasText: reason }).waitFor()
      assert.ok((await page.content()).includes('****'), 'what was not asked for stays masked')
      await page.reload()
      await page.locator('dd', { hasText: '138****8123' }).first().waitFor()
      assert.deepEqual(faults, [])
      await ctx.close()
    }
    {
      const { page, ctx, faults } = await signedIn('admin', lang)
      await page.goto(`${server.url}/audit?action=contact.unmasked`)
      await page.locator('tbody tr', { hasText: '林晓岚' }).first().waitFor()
      const { items } = await (await page.request.get(`${server.url}/api/audit?action=contact.unmasked`)).json()
      assert.ok(items.some((e) => e.object.id === contact.id && e.detail.reason === reason && e.detail.field === 'phone'), 'who, whose, what and why')
      assert.ok(!JSON.stringify(items).includes(PHONE), 'the value itself is not in the log')
      await page.goto(server.url + '/system')
      await page.locator('[data-encryption] .kp-row').first().waitFor()
      assert.deepEqual(faults, [])
      await ctx.close()
    }
  })
}
