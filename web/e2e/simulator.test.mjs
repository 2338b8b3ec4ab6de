// Being a customer in the simulated WeCom: scan, become a known person here, talk, go away; in both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

/** Makes a code on the platform, as a connector does. */
async function makeCode(page, remark) {
  const accounts = await (await page.request.get(pond.url + '/api/connectors')).json()
  const base = accounts.items.find((a) => a.kind === 'wecom').settings.base
  const { access } = await (await fetch(new URL('/sim/world', base))).json()
  const { access_token } = await (await fetch(`${base}/cgi-bin/gettoken?corpid=${access.corpId}&corpsecret=${access.secret}`)).json()
  const made = await fetch(`${base}/cgi-bin/externalcontact/add_contact_way?access_token=${access_token}`, {
    method: 'POST',
    body: JSON.stringify({ type: 2, scene: 2, user: ['zhiqiu'], remark, state: 'e2e', skip_verify: true }),
  })
  assert.equal((await made.json()).errcode, 0)
}

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: somebody new scans a code, is known here, writes, and deletes the colleague`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const remark = `e2e ${lang} ${Date.now() % 1e6}`
    const name = lang === 'en' ? 'Ada Lin' : '林一诺'
    await makeCode(page, remark)
    await page.goto(pond.url + '/be-a-customer')
    await page.locator('section input').first().fill(name)
    await page.locator('section button:has(svg.lucide-user-plus)').click()
    await page.locator('[role=region] button', { hasText: remark }).first().click()

    const lines = page.locator('[role=region] ol')
    await lines.waitFor()
    const story = page.locator('ol li[data-kind=callback]')
    await story.first().waitFor() // the platform told Koipond
    await page.locator('dl', { hasText: /./ }).first().waitFor({ timeout: 30_000 }) // and Koipond knows the person
    const href = await page.locator('a[href^="/contacts/ct_"]').first().getAttribute('href')
    const known = await (await page.request.get(pond.url + '/api' + href)).json()
    assert.equal(known.name, name)

    const field = page.locator('[role=region] form input')
    await field.fill('hello')
    await field.press('Enter')
    await lines.locator('li[data-from=me]', { hasText: 'hello' }).waitFor()
    await page.locator('[role=region] button:has(svg.lucide-ellipsis)').click()
    await page.locator('.ant-dropdown-menu-item-danger').click()
    await page.locator('ol li[data-kind=callback] code', { hasText: 'del_follow_user' }).waitFor()
    await field.waitFor({ state: 'detached' }) // whom one has deleted cannot be written to
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}

test('a fault is ordered, shown while it is in force, and taken away', async () => {
  const { page, ctx, faults } = await pond.signedIn('zh-CN')
  await page.goto(pond.url + '/be-a-customer')
  await page.locator('.kp-page-extra button').click()
  const drawer = page.locator('[role=dialog]')
  await drawer.locator('ul').last().locator('button').nth(5).click()
  const on = drawer.locator('ul[data-on] li')
  await on.waitFor()
  await on.locator('button').click()
  await on.waitFor({ state: 'detached' })
  assert.deepEqual(faults, [])
  await ctx.close()
})
