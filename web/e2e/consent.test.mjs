// A customer opens the link on a phone, withdraws, and staff see it at once with the proof, in both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch } from './browser.mjs'
import { startDemo } from './demo.mjs'

let pond, browser
before(async () => {
  pond = await startDemo()
  browser = await launch()
}, { timeout: 150_000 })
after(async () => {
  await browser?.close()
  await pond?.stop()
})

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2, javaScriptEnabled: false }

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: text messages are stopped on a phone and the profile shows it with the proof`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const { items } = await (await page.request.get(`${pond.url}/api/contacts?sort=orders&limit=1`)).json()
    const { id, name } = items[0]
    const origin = { headers: { Origin: pond.url } }
    const granted = await page.request.post(`${pond.url}/api/contacts/${id}/consents`, { ...origin, data: { reason: 'e2e', changes: [{ purpose: 'marketing', channel: 'all', state: 'granted' }] } })
    assert.equal(granted.status(), 200, await granted.text())

    await page.goto(`${pond.url}/contacts/${id}`)
    const marketing = page.locator('[data-purpose=marketing]')
    await marketing.waitFor()
    const link = await (await page.request.post(`${pond.url}/api/contacts/${id}/preference-link`, { ...origin, data: {} })).json()
    assert.ok(!link.path.includes(id), 'the address tells nothing of the person')

    // the customer's phone, without any script
    const hand = await browser.newContext({ ...phone, locale: lang })
    const screen = await hand.newPage()
    await screen.goto(pond.url + link.path)
    assert.equal(await screen.locator('html').getAttribute('lang'), lang)
    assert.ok(!(await screen.locator('body').innerText()).includes(name), 'the name is masked')
    const wide = await screen.evaluate('document.documentElement.scrollWidth <= window.innerWidth').catch(() => true)
    assert.ok(wide, 'nothing runs over the edge of the screen')
    const box = screen.locator('input[name=on][value="marketing/sms"]')
    assert.ok(await box.isChecked())
    const target = await screen.locator('label', { has: box }).boundingBox()
    assert.ok(target.height >= 44, 'large enough for a thumb')
    await screen.locator('label', { has: box }).tap()
    await screen.locator('button[value=save]').tap()
    await screen.locator('.note.ok time').waitFor()
    assert.ok(!(await screen.locator('input[name=on][value="marketing/sms"]').isChecked()))

    // staff see it
    await page.reload()
    await marketing.waitFor()
    const sms = lang === 'en' ? 'SMS' : '短信'
    const line = marketing.locator('> div', { hasText: sms })
    await line.waitFor()
    assert.match(await line.innerText(), lang === 'en' ? /Withdrawn[\s\S]*Preference page/ : /已撤回[\s\S]*偏好页面/)
    await page.getByRole('button', { name: lang === 'en' ? /^History \(/ : /^历史/ }).click()
    const row = page.locator('[role=dialog] li[data-source=page]').first()
    await row.waitFor()
    assert.match(await row.innerText(), /IP 127\.0\.0\.1/)

    // a link that was turned off says so kindly
    const off = await page.request.delete(`${pond.url}/api/contacts/${id}/preference-link`, origin)
    assert.equal(off.status(), 204)
    const gone = await screen.goto(pond.url + link.path)
    assert.equal(gone.status(), 410)
    await screen.locator('h1', { hasText: lang === 'en' ? 'no longer works' : '链接已失效' }).waitFor()
    await hand.close()

    await page.goto(pond.url + '/consent')
    await page.locator('tbody tr a.kp-num', { hasText: /[1-9]/ }).first().click()
    await page.waitForURL((u) => u.pathname === '/consent/people')
    await page.locator('tbody tr').first().waitFor()
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
