// From a number to the people behind it. What is looked for is addresses and figures, not words,
// so that each flow runs in both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

const digits = (text) => Number(text.replaceAll(/[^\d.-]/g, ''))

/** The total that a list of people states. */
async function total(page) {
  const shown = page.locator('.kp-filters b.kp-num')
  await shown.waitFor()
  return digits(await shown.innerText())
}

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: a figure of the home page opens as many people as it says`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    for (const metric of ['size', 'new', 'active']) {
      await page.goto(pond.url + '/home')
      const card = page.locator(`section a[href^="/people?metric=${metric}&"]`).first()
      await card.waitFor()
      const label = await card.getAttribute('aria-label')
      const figure = digits(/[\d,]+/.exec(label)[0])
      assert.ok(figure > 0, `${metric} is ${figure}: ${label}`)
      await card.click()
      await page.waitForURL(/\/people\?/)
      assert.equal(await total(page), figure, metric)
      await page.locator('tbody tr a[href^="/contacts/"]').first().waitFor()
    }
    assert.deepEqual(faults, [])
    await ctx.close()
  })

  test(`${lang}: a channel's numbers open that channel's people`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const overview = await (await page.request.get(`${pond.url}/api/overview`)).json()
    const best = overview.channels.toSorted((a, b) => b.buyers - a.buyers)[0]
    assert.ok(best.buyers > 0)
    await page.goto(pond.url + '/home')
    const link = page.locator(`table a[href*="metric=buyers"][href*="channel=${best.channel}"]`).first()
    const figure = digits(await link.innerText())
    await link.click()
    await page.waitForURL(/\/people\?/)
    assert.equal(await total(page), figure)
    const rows = page.locator('tbody tr [data-channel]')
    await rows.first().waitFor()
    assert.deepEqual(await rows.evaluateAll((all) => [...new Set(all.map((e) => e.dataset.channel))]), [best.channel])
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}

test('every event and metric of the answer lists as many people as it says', async () => {
  const { page, ctx } = await pond.signedIn('zh-CN')
  const overview = await (await page.request.get(`${pond.url}/api/overview`)).json()
  const linked = new Set(overview.kpis.map((k) => k.people))
  assert.deepEqual([...linked].sort(), ['active', 'buyers', 'new', 'repeat', 'size'])
  for (const { name, people } of overview.events) {
    const query = new URLSearchParams({ metric: `event:${name}`, from: overview.from, to: overview.to, limit: '1' })
    const page1 = await (await page.request.get(`${pond.url}/api/people?${query}`)).json()
    assert.equal(page1.total, people, name)
  }
  await ctx.close()
})
