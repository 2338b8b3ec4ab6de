// A follow-up from plan to reminder to done, a salesperson who sees only their own
// customers, owners changed for many at once and back, and a profile's files and people. What is looked for is addresses and values, not words, so that each flow
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
    await plan.locator('input#day').fill(day)
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
    await done.locator('input#day').waitFor()
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

  test(`${lang}: other owners for those chosen in the list, and the undo`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const name = `转移${lang}`
    const { user } = await ask(page, 'POST', '/api/users', { name: `接手 ${lang}`, email: `next-${lang.toLowerCase()}@example.com`, role: 'sales' })
    const made = []
    for (const n of ['甲', '乙']) made.push(await ask(page, 'POST', '/api/contacts', { name: name + n }))
    await page.goto(`${pond.url}/contacts?q=${encodeURIComponent(name)}`)
    for (const c of made) await page.locator(`tbody a[href="/contacts/${c.id}"]`).first().waitFor()
    await page.locator('thead input[type=checkbox]').check()
    await page.locator('button:has(.lucide-user-round-pen)').click()
    const dialog = page.getByRole('dialog')
    await dialog.locator('.ant-select input').fill(`接手 ${lang}`)
    await page.locator('.ant-select-item-option-active').filter({ hasText: `接手 ${lang}` }).waitFor()
    await page.keyboard.press('Enter')
    await dialog.locator('.ant-select-selection-item, .ant-select-content-item').filter({ hasText: `接手 ${lang}` }).first().waitFor()
    await dialog.locator('input.ant-input').focus()
    await dialog.locator('input.ant-input').fill('离职交接')
    await dialog.locator('button.ant-btn-primary:enabled').click()
    await dialog.locator('button:has(.lucide-undo-2)').waitFor({ timeout: 30_000 })
    const owners = async () => (await Promise.all(made.map((c) => ask(page, 'GET', `/api/contacts/${c.id}`)))).map((c) => c.owner?.id)
    assert.deepEqual(await owners(), [user.id, user.id])
    const { items } = await ask(page, 'GET', `/api/contacts/${made[0].id}/owners`)
    assert.deepEqual([items[0].owner.id, items[0].how, items[0].why], [user.id, 'moved', '离职交接'])
    await dialog.locator('button:has(.lucide-undo-2)').click()
    await dialog.locator('button:has(.lucide-undo-2)').waitFor({ state: 'detached', timeout: 30_000 })
    for (const until = Date.now() + 20_000; (await owners()).some(Boolean); ) {
      assert.ok(Date.now() < until, 'the owners before come back')
      await page.waitForTimeout(200)
    }
    assert.deepEqual(faults, [])
    await ctx.close()
  })

  test(`${lang}: a file is put on a profile and got back, two people are related, the next contact is set`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const a = await ask(page, 'POST', '/api/contacts', { name: `相关${lang}甲` })
    const b = await ask(page, 'POST', '/api/contacts', { name: `相关${lang}乙` })
    const body = Buffer.from('%PDF-1.7\n报价单')
    await page.goto(`${pond.url}/contacts/${a.id}?tab=files`)
    await page.locator('input[type=file]').setInputFiles({ name: '报价单.pdf', mimeType: 'application/pdf', buffer: body })
    const link = page.locator(`a[href^="/api/contacts/${a.id}/files/"]`).first()
    await link.waitFor()
    const download = page.waitForEvent('download')
    await link.click()
    const got = await download
    assert.equal(got.suggestedFilename(), '报价单.pdf')
    assert.deepEqual(await (await import('node:fs/promises')).readFile(await got.path()), body)
    const refused = await page.request.post(`${pond.url}/api/contacts/${a.id}/files?name=x.html`, { data: Buffer.from('<script>'), headers: { 'Sec-Fetch-Site': 'same-origin' } })
    assert.equal(refused.status(), 422)

    await page.locator('.kp-panel button:has(.lucide-plus)').last().click()
    const dialog = page.getByRole('dialog')
    await dialog.locator('.ant-select input').first().fill(b.name)
    await page.locator('.ant-select-item-option-active').filter({ hasText: b.name }).waitFor()
    await page.keyboard.press('Enter')
    await dialog.locator('button[type=submit]').click()
    await page.locator(`.kp-panel a[href="/contacts/${b.id}"]`).waitFor()
    const back = await ask(page, 'GET', `/api/contacts/${b.id}/relations`)
    assert.deepEqual(back.items.map((r) => [r.role, r.contact.id]), [['household', a.id]])

    await page.locator('button:has(.lucide-calendar-clock)').click()
    const answer = page.waitForResponse((r) => r.url().endsWith(`/api/contacts/${a.id}/follow-ups`) && r.request().method() === 'POST')
    await page.locator('.ant-popover button').first().click()
    assert.equal((await answer).status(), 200)
    const { items } = await ask(page, 'GET', `/api/contacts/${a.id}/follow-ups`)
    assert.deepEqual(items.map((f) => [f.state, f.allDay]), [['open', true]])
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
