// A follow-up from plan to reminder to done, and a salesperson who sees only their own
// customers. What is looked for is addresses and values, not words, so that each flow
// runs in both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo(200)
}, { timeout: 240_000 })
after(() => pond?.stop())

/** The JSON that an API call answers; it must succeed. */
async function ask(page, method, path, data) {
  const answer = await page.request.fetch(pond.url + path, { method, data, headers: { 'Sec-Fetch-Site': 'same-origin' } })
  assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`)
  return answer.status() === 204 ? undefined : answer.json()
}

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: plan a follow-up, be reminded, complete it and plan the next`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const made = await ask(page, 'POST', '/api/contacts', { name: `跟进 ${lang}` })
    await page.goto(`${pond.url}/contacts/${made.id}?tab=follow-ups`)
    const tab = page.getByRole('tabpanel').filter({ visible: true })
    await tab.locator('button:has(.lucide-calendar-plus)').click()
    const plan = page.getByRole('dialog')
    const now = await page.evaluate(() => new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai', dateStyle: 'short', timeStyle: 'short' }).format(new Date()))
    const [day, time] = now.split(' ')
    await plan.locator('input[type=date]').fill(day)
    await plan.locator('input[type=time]').fill(time)
    await plan.locator('textarea').fill('龙井到货')
    await plan.locator('button[type=submit]').click()
    await tab.getByText('龙井到货').waitFor()

    // The bell tells of it by itself, and leads to the contact.
    await page.goto(pond.url + '/follow-ups')
    const bell = page.locator('.kp-bell')
    await bell.locator('i').waitFor({ timeout: 45_000 })
    await bell.locator('button').click()
    await page.locator(`.kp-notices a[href="/contacts/${made.id}?tab=follow-ups"]`).first().waitFor({ timeout: 45_000 })
    await page.keyboard.press('Escape')

    await page.goto(pond.url + '/follow-ups')
    const row = page.locator('tbody tr').filter({ has: page.locator(`a[href="/contacts/${made.id}"]`) })
    await row.locator('button.ant-btn-primary').click()
    const done = page.getByRole('dialog')
    await done.locator('textarea').first().fill('要两罐')
    await done.locator('input[type=checkbox]').check()
    await done.locator('input[type=date]').waitFor()
    await done.locator('button[type=submit]').click()
    await done.waitFor({ state: 'hidden' })
    await row.waitFor({ state: 'detached' })
    const { items } = await ask(page, 'GET', `/api/contacts/${made.id}/follow-ups`)
    assert.deepEqual(items.map((f) => [f.state, f.note ?? '', f.allDay]), [['open', '', true], ['done', '要两罐', false]])
    await page.goto(pond.url + '/follow-ups?bucket=upcoming')
    await row.waitFor()
    await page.goto(pond.url + '/follow-ups?bucket=done')
    await row.getByText('要两罐').waitFor()
    assert.deepEqual(faults, [])
    await ctx.close()
  })

  test(`${lang}: a salesperson sees and opens only their own customers`, async () => {
    const { page, ctx } = await pond.signedIn(lang)
    const email = `sales-${lang.toLowerCase()}@example.com`
    const { user, password } = await ask(page, 'POST', '/api/users', { name: `销售 ${lang}`, email, role: 'sales' })
    const all = await ask(page, 'GET', '/api/contacts?limit=3')
    const [mine, theirs] = all.items
    await ask(page, 'PATCH', `/api/contacts/${mine.id}`, { ownerId: user.id })
    await ctx.clearCookies()
    await ask(page, 'POST', '/api/session', { email, password })
    const seen = await ask(page, 'GET', '/api/contacts')
    assert.deepEqual([seen.total, seen.items.map((c) => c.id)], [1, [mine.id]])
    assert.ok(all.total > 1)
    await page.goto(pond.url + '/contacts')
    await page.locator(`tbody a[href="/contacts/${mine.id}"]`).first().waitFor()
    assert.equal(await page.locator('tbody a[href^="/contacts/ct_"]').count(), 1)
    const answer = page.waitForResponse((r) => r.url().endsWith(`/api/contacts/${theirs.id}`))
    await page.goto(`${pond.url}/contacts/${theirs.id}`)
    assert.equal((await answer).status(), 404)
    assert.equal(await page.getByText(theirs.name, { exact: true }).count(), 0)
    await ctx.close()
  })
}
