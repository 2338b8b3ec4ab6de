// Possible duplicates, from two entries by hand to a decision, in both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

/** Names that nobody else in the pond has, and their pinyin. */
const PEOPLE = {
  'zh-CN': [['尉迟砚清', 'Yuchi Yanqing', '1371059', '1988-03-12'], ['澹台若溪', '澹台若夕', '1582680', '1975-09-30']],
  en: [['司徒墨言', 'Situ Moyan', '1893317', '1990-11-02'], ['端木知秋', '端木之秋', '1664971', '1969-06-21']],
}

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: two entries of one person are found, reviewed and merged; a rejected pair stays away`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const make = async (name, phone, birthday) => {
      const answer = await page.request.post(pond.url + '/api/contacts', { data: { name, phone, attributes: { birthday, city: '杭州' } } })
      assert.equal(answer.status(), 200, await answer.text())
      return (await answer.json()).id
    }
    const [[name, other, phone, born], [second, alike, phone2, born2]] = PEOPLE[lang]
    const one = await make(name, phone + '4321', born)
    const two = await make(other, phone + '4312', born)
    const three = await make(second, phone2 + '4321', born2)
    await make(alike, phone2 + '4312', born2)

    const run = page.locator('.kp-page-extra button.ant-btn-primary')
    const look = async () => {
      const done = page.waitForResponse((r) => r.url().endsWith('/api/matches/run') && r.ok())
      await run.click()
      const { id } = await (await done).json()
      for (;;) {
        const job = await (await page.request.get(`${pond.url}/api/jobs/${id}`)).json()
        if (job.state === 'succeeded') break
        assert.ok(['queued', 'running'].includes(job.state), JSON.stringify(job))
        await new Promise((r) => setTimeout(r, 100))
      }
    }
    await page.goto(`${pond.url}/matches`)
    await look()

    // the panel on the profile leads to the pair
    await page.goto(`${pond.url}/contacts/${one}`)
    await page.locator(`a[href="/matches?contact=${one}"]`).click()
    await page.waitForURL((u) => u.pathname === '/matches' && u.searchParams.get('contact') === one)
    const card = page.locator('article', { hasText: name })
    await card.waitFor()
    assert.equal(await page.locator('article').count(), 1)
    assert.ok(!(await card.innerText()).includes(phone), 'phone numbers are masked')
    await page.keyboard.press('m')
    await card.waitFor({ state: 'detached' })
    for (let i = 0; ; i++) { // the older one stays, and the other's id leads to it
      const who = await (await page.request.get(`${pond.url}/api/contacts/${two}`)).json()
      if (who.id === one) break
      assert.ok(i < 50, 'they did not become one person')
      await new Promise((r) => setTimeout(r, 100))
    }

    await page.goto(`${pond.url}/matches?contact=${three}`)
    const rejected = page.locator('article', { hasText: second })
    await rejected.waitFor()
    await page.keyboard.press('r')
    await rejected.waitFor({ state: 'detached' })
    const touched = await page.request.patch(`${pond.url}/api/contacts/${three}`, { data: { attributes: { city: '上海' } } })
    assert.equal(touched.status(), 200)
    await look()
    const { items } = await (await page.request.get(`${pond.url}/api/matches?contact=${three}`)).json()
    assert.deepEqual(items, [])
    await page.goto(`${pond.url}/matches?state=rejected&contact=${three}`)
    await rejected.waitFor()
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
