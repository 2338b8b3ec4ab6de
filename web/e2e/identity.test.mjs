// A value is blocked in the page; what is sent with it from then on joins nobody, and the list says so.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

/** Asks until the answer is as it should be. */
async function until(what, ask) {
  const end = Date.now() + 20_000
  for (;;) {
    const got = await ask()
    if (got) return got
    assert.ok(Date.now() < end, what)
    await new Promise((r) => setTimeout(r, 200))
  }
}

for (const [n, lang] of ['zh-CN', 'en'].entries()) {
  test(`${lang}: a blocked value joins nobody`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const api = async (path, body) => (await page.request.fetch(pond.url + path, body ? { method: 'POST', data: body } : {})).json()
    const key = (await api('/api/write-keys', { name: `e2e ${lang}` })).secret
    assert.ok(key, 'a write key')
    const send = async (userId, phone) => {
      const answer = await fetch(`${pond.url}/v1/identify`, { method: 'POST', headers: { authorization: 'Basic ' + btoa(key + ':'), 'content-type': 'application/json' }, body: JSON.stringify({ userId, traits: { phone } }) })
      assert.equal(answer.status, 200)
    }
    const one = async (q) => (await api(`/api/contacts?q=${encodeURIComponent(q)}`)).items
    const hotline = `1391111000${n}`

    await page.goto(`${pond.url}/identities?tab=blocked`)
    await page.locator('.kp-page button.ant-btn-primary, main button.ant-btn-primary').first().click()
    const dialog = page.locator('[role=dialog]')
    await dialog.locator('textarea').fill(`${hotline.slice(0, 3)} ${hotline.slice(3, 7)} ${hotline.slice(7)}`)
    await dialog.locator('button[type=submit]').click()
    await dialog.waitFor({ state: 'detached' })
    const masked = `${hotline.slice(0, 3)}****${hotline.slice(7)}`
    await page.locator('tr', { hasText: masked }).first().waitFor()

    const names = [`blocked-${lang}-1`, `blocked-${lang}-2`]
    for (const who of names) await send(who, hotline)
    const found = []
    for (const who of names) found.push((await until(`${who} is known`, async () => ((await one(who)).length > 0 ? one(who) : undefined)))[0])
    assert.notEqual(found[0].id, found[1].id, 'two people, though both sent one number')
    for (const c of found) assert.deepEqual((await api(`/api/contacts/${c.id}`)).identities.map((i) => i.kind), ['user_id'])
    assert.equal((await one(hotline)).length, 0, 'nobody has the number')

    await page.goto(`${pond.url}/identities?tab=refused`)
    await page.locator('tr', { hasText: masked }).first().waitFor()
    await page.goto(`${pond.url}/identities?tab=blocked`)
    const row = page.locator('tr', { hasText: masked })
    assert.match(await row.first().innerText(), /2 (次|times)/)

    await row.locator('button').last().click()
    await page.locator('[role=dialog] button.ant-btn-primary, [role=dialog] button.ant-btn-dangerous').last().click()
    await row.waitFor({ state: 'detached' })
    await send(`blocked-${lang}-1`, hotline)
    await until('the number is taken in once it is unblocked', async () => (await one(hotline))[0]?.id === found[0].id)
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
