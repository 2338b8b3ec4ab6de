// A landing page made, and the stranger who becomes a contact by it. A link made, opened by a stranger and by a known person, and seen on the radar; a cost typed in, and what a customer cost.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

const PHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.49'

// Who leaves their number at the landing page, in each language.
const LEAVES = { 'zh-CN': ['13900007001', '谷雨晴'], en: ['13900007002', '霜降白'] }

// Each language types a sum of its own: one that is there already is no change.
const SUMS = { 'zh-CN': ['12,345.6', 1234560], en: ['9,876.5', 987650] }

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: a link tells who opened it`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const title = `${lang} ${Date.now()}`
    await page.goto(pond.url + '/links')
    await page.locator('.kp-page-extra .ant-btn-primary').click()
    const form = page.locator('[role=dialog] form')
    await form.locator('#title').fill(title)
    await form.locator('#target').fill('javascript:alert(1)')
    await form.locator('button[type=submit]').click()
    await form.locator('.ant-form-item-explain-error').waitFor() // no such address leads anywhere
    await form.locator('#target').fill(`${pond.url}/healthz?from=test`)
    await form.locator('#campaign').fill('e2e')
    await form.locator('button[type=submit]').click()
    await page.locator('[role=dialog] code').waitFor()
    const address = await page.locator('[role=dialog] code').innerText()
    assert.match(address, /\/l\/[A-Za-z0-9]{7}$/)
    assert.equal((await page.request.get(`${pond.url}/api/links/${address.slice(-7)}/qr?format=svg`)).status(), 200)

    const stranger = await page.context().browser().newContext({ userAgent: PHONE, locale: 'zh-CN' })
    const street = await stranger.newPage()
    await street.goto(address)
    assert.match(street.url(), /\/healthz\?from=test&utm_campaign=e2e$/)
    const { items } = await (await page.request.get(`${pond.url}/api/contacts?limit=1`)).json()
    const { path } = await (await page.request.get(`${pond.url}/api/links/${address.slice(-7)}/person?contact=${items[0].id}`)).json()
    await street.goto(pond.url + path)
    await stranger.close()

    await page.goto(pond.url + '/links?tab=radar')
    const line = page.locator('tbody tr', { hasText: title })
    await line.first().waitFor({ timeout: 30_000 })
    assert.equal(await line.count(), 1, 'people whom we know')
    assert.ok((await line.innerText()).includes(items[0].name))
    assert.equal(await line.locator(`a[href="/contacts/${items[0].id}"]`).count(), 1)
    assert.deepEqual(faults, [])
    await ctx.close()
  })

  test(`${lang}: a cost that is typed in makes a price`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const [typed, amount] = SUMS[lang]
    await page.goto(pond.url + '/channels?tab=costs')
    const cell = page.locator('tbody tr').first().locator('input').last()
    await cell.waitFor()
    await cell.fill(typed)
    await page.locator('.kp-form-actions .ant-btn-primary').click()
    await page.waitForFunction(async (amount) => {
      const day = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(new Date())
      const { items } = await (await fetch(`/api/channel-costs?from=${day}&to=${day}`)).json()
      return items.some((c) => c.channel === 'paid_search' && c.amount === amount)
    }, amount)
    await page.goto(pond.url + '/channels?range=7d')
    const row = page.locator('tbody tr').first()
    await row.waitFor()
    const report = await (await page.request.get(`${pond.url}/api/channel-report?from=${new Date(Date.now() - 7 * 864e5).toISOString()}&to=${new Date().toISOString()}`)).json()
    const paid = report.items.find((l) => l.channel === 'paid_search').now
    assert.ok(paid.cost >= amount)
    if (paid.firstBuyers > 0) assert.ok(Math.abs(paid.cac - paid.cost / paid.firstBuyers) < 1e-6)
    await row.locator('a').first().click() // a number opens its people
    await page.waitForURL(/\/people\?metric=/)
    assert.deepEqual(faults, [])
    await ctx.close()
  })

  test(`${lang}: a stranger leaves their number`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const [number, name] = LEAVES[lang]
    const slug = `e2e-${lang.toLowerCase()}-${Date.now()}`
    await page.goto(pond.url + '/landing-pages/new')
    const fields = page.locator('.kp-panel').first().locator('input')
    await fields.nth(0).fill(`${lang} ${slug}`)
    await fields.nth(1).fill(slug)
    const blocks = page.locator('section[class*=_block_]')
    await blocks.nth(0).locator('input').first().fill('明前龙井')
    await blocks.nth(1).locator('textarea').fill('留下手机号')
    await blocks.nth(2).locator('[role=combobox]').last().click() // the list of purposes
    await page.locator('.ant-select-item-option').filter({ hasText: /营销|arketing/ }).first().click()
    const shown = page.frameLocator('iframe')
    await shown.locator('h1', { hasText: '明前龙井' }).waitFor() // the phone shows what is being typed
    await page.locator('.kp-page-extra .ant-btn-primary').click()
    await page.locator('code').waitFor()
    assert.equal(await page.locator('code').innerText(), `${pond.url}/p/${slug}`)

    const stranger = await page.context().browser().newContext({ userAgent: PHONE, locale: 'zh-CN', viewport: { width: 390, height: 780 } })
    const street = await stranger.newPage()
    await street.goto(`${pond.url}/p/${slug}?utm_source=douyin&utm_medium=video`)
    assert.equal(await street.locator('input[type=checkbox][name=c]').isChecked(), false, 'nobody agrees beforehand')
    await street.locator('input[type=tel]').fill('123')
    await street.waitForFunction(() => performance.now() > 2000) // what is quicker is a program's
    await street.locator('button').click()
    await street.locator('[aria-invalid=true]').waitFor()
    await street.locator('input[type=tel]').fill(number)
    await street.locator('input[name="f.name"]').fill(name)
    await street.locator('input[name=c]').check()
    await street.locator('button').click()
    await street.waitForURL(/done=/)
    await stranger.close()

    const found = await page.waitForFunction(async (number) => {
      const { items } = await (await fetch(`/api/contacts?q=${number}`)).json()
      return items[0]?.id
    }, number)
    const id = await found.jsonValue()
    const contact = await (await page.request.get(`${pond.url}/api/contacts/${id}`)).json()
    assert.equal(contact.name, name)
    assert.equal(contact.firstTouch.channel, 'short_video')
    await page.waitForFunction(async (id) => {
      const { items } = await (await fetch(`/api/contacts/${id}/consents/history`)).json()
      return items.some((r) => r.source === 'form' && r.state === 'granted' && r.purpose === 'marketing')
    }, id)
    await page.goto(`${pond.url}/contacts/${id}`)
    await page.getByText(name).first().waitFor()
    await page.goto(`${pond.url}/landing-pages?q=${slug}`)
    await page.locator('tbody a').first().click()
    await page.locator('a[href*="submitted"]').first().waitFor()
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
