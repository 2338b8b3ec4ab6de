// A live code from its making to the person who came by it: welcomed, tagged, of the right channel; in both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

const ask = async (page, path) => {
  const answer = await page.request.get(pond.url + path)
  assert.equal(answer.status(), 200, await answer.text())
  return answer.json()
}

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: whoever scans a live code is welcomed by name, tagged and counted`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const options = await ask(page, '/api/live-codes/options')
    const account = options.accounts[0]
    const tag = (await ask(page, '/api/tags')).groups.find((g) => !g.exclusive && g.tags.length).tags[0]
    const code = `e2e ${lang} ${Date.now() % 1e6}`
    const name = lang === 'en' ? 'Grace Wu' : '吴一诺'
    const made = await page.request.post(pond.url + '/api/live-codes', {
      data: {
        name: code, account: account.id, channel: 'offline', tags: [tag.id], greet: 'own', verify: 'skip',
        members: [{ staff: account.colleagues[0].id }], welcome: { text: `{customer}，${code}` },
      },
    })
    assert.ok(made.ok(), await made.text())
    const id = (await made.json()).id
    for (const until = Date.now() + 30_000; !(await ask(page, '/api/live-codes/' + id)).ready; ) {
      assert.ok(Date.now() < until, 'the platform takes the code')
      await new Promise((r) => setTimeout(r, 200))
    }

    await page.goto(pond.url + '/be-a-customer')
    await page.locator('section input').first().fill(name)
    await page.locator('section button:has(svg.lucide-user-plus)').click()
    await page.locator('[role=region] button', { hasText: code }).first().click()
    await page.locator('[role=region] ol', { hasText: `${name}，${code}` }).waitFor({ timeout: 20_000 }) // the welcome, by name
    const link = page.locator('a[href^="/contacts/ct_"]').first()
    await link.waitFor({ timeout: 30_000 })
    const href = await link.getAttribute('href')

    for (const until = Date.now() + 30_000; ; ) {
      const known = await ask(page, '/api' + href)
      if (known.name === name && known.tags?.some((t) => t.id === tag.id) && known.channel === 'offline') break
      assert.ok(Date.now() < until, `tagged and of its channel: ${JSON.stringify({ tags: known.tags, channel: known.channel, name: known.name })}`)
      await new Promise((r) => setTimeout(r, 300))
    }
    await page.goto(pond.url + href)
    await page.getByText(tag.name, { exact: true }).first().waitFor()
    await page.goto(pond.url + '/live-codes')
    await page.locator('tr', { hasText: code }).first().waitFor()
    const row = (await ask(page, '/api/live-codes?q=' + encodeURIComponent(code))).items[0]
    assert.equal(row.total, 1)
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
