// WeCom's groups and tags: a group with its people, and a tag that agrees on both sides.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

/** Asks until it holds. */
async function until(what, ask) {
  const end = Date.now() + 60_000
  for (;;) {
    const got = await ask()
    if (got) return got
    assert.ok(Date.now() < end, `in vain: ${what}`)
    await new Promise((r) => setTimeout(r, 200))
  }
}

/** The platform behind the demo's account. */
async function platform(page) {
  const { items } = await (await page.request.get(pond.url + '/api/connectors')).json()
  const base = items.find((a) => a.kind === 'wecom').settings.base
  const world = await (await fetch(new URL('/sim/world', base))).json()
  const { access_token: token } = await (await fetch(`${base}/cgi-bin/gettoken?corpid=${world.access.corpId}&corpsecret=${world.access.secret}`)).json()
  return {
    tagsOf: async (customer) => {
      const c = await (await fetch(`${base}/cgi-bin/externalcontact/get?access_token=${token}&external_userid=${customer}`)).json()
      return c.follow_user.flatMap((f) => f.tags.map((t) => t.tag_name))
    },
  }
}

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: a group opens its people, and a colleague's tag comes and goes on both sides`, async () => {
    const { page, ctx, faults } = await pond.signedIn(lang)
    const get = async (path) => (await page.request.get(pond.url + path)).json()
    const { account } = await until('the groups are read', async () => (await get('/api/groups/accounts')).items.find((a) => a.groups > 0 && a.syncedAt))
    await until('both sides of the tags agree', async () => (await get('/api/tag-mirrors')).items.some((m) => m.on && m.linked > 0 && m.readAt && m.waiting === 0))

    await page.goto(`${pond.url}/groups`)
    await page.getByText('线上会员群').click()
    await page.waitForURL(/\/groups\/ac_/)
    const who = page.locator('a[href^="/contacts/ct_"]').first()
    await who.click()
    await page.locator(`a[href^="/groups/${account}/"]`).first().waitFor() // and back from the profile

    await page.goto(`${pond.url}/tags?tab=mirror`)
    await page.locator('td', { hasText: '高意向' }).first().waitFor()

    // Somebody who is a colleague's friend, with their phone.
    const friends = (await get(`/api/friendships?account=${account}&limit=100`)).items.filter((f) => f.contactId && f.name && !f.staffLeft)
    let friend, person
    for (const f of friends) {
      person = (await get(`/api/sim/people?limit=50&q=${encodeURIComponent(f.name)}`)).items.find((p) => p.external === f.customer)
      if (person) {
        friend = f
        break
      }
    }
    assert.ok(person, 'somebody has a phone')
    const tag = `e2e-${lang}`
    const label = () => page.request.post(`${pond.url}/api/sim/acts`, { data: { does: 'label', who: friend.staff, with: person.id, what: tag } })
    assert.equal((await label()).status(), 200)
    const given = await until('the tag comes here', async () => (await get(`/api/contacts/${friend.contactId}`)).tags.find((t) => t.name === tag))
    assert.equal(given.given.source, 'outside')

    const corp = await platform(page)
    assert.ok((await corp.tagsOf(friend.customer)).includes(tag))
    assert.equal((await page.request.put(`${pond.url}/api/contacts/${friend.contactId}/tags`, { data: { remove: [given.id] } })).status(), 200)
    await until('the tag goes there', async () => !(await corp.tagsOf(friend.customer)).includes(tag))
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
