// Takes screenshots of every page, in both languages and both themes, from a
// demo pond that it starts, fills and stops. See scripts/shots.
import { mkdirSync, readFileSync, statSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { launch, open } from './browser.mjs'
import { start } from './server.mjs'

const root = resolve(import.meta.dirname, '../..')
const [flag, dir] = process.argv.slice(2)
const all = flag === '--all'
if (flag && (!all || !dir)) throw new Error('usage: scripts/shots [--all DIR]')
const out = all ? resolve(dir) : join(root, 'docs/img')
const LARGEST = 300 * 1024 // of a committed picture
const WIDTH = 1440

/** The pictures that the pages show; with --all, undefined: every one. */
function wanted() {
  if (all) return undefined
  const names = new Set()
  const files = readdirSync(join(root, 'docs'), { recursive: true }).map((f) => join('docs', f)).concat('README.md', 'README.zh-CN.md')
  for (const f of files.filter((f) => f.endsWith('.md')))
    for (const m of readFileSync(join(root, f), 'utf8').matchAll(/img\/([\w-]+)\.png/g)) names.add(m[1])
  return names
}

/** A small file with faults in it, as shops export them. */
const ORDERS = [
  '订单号,付款时间,手机号,收货人,商品名称,数量,单价,订单状态',
  'S20260501-001,2026-05-01 10:12,13812342071,沈知夏,明前龙井 250g,2,259.00,已付款',
  'S20260501-002,2026-05-01 11:40,13900018842,周予安,白牡丹 饼茶,1,188.00,已付款',
  'S20260501-003,2026-05-01 13:05,159****0031,林小满,茉莉花茶 罐装,3,68.00,已付款',
  'S20260502-001,2026-05-02 09:20,13700416620,陈一诺,明前龙井 250g,1,259.00,已取消',
  'S20260502-002,2026-05-02 09:58,13611127345,许南风,岩茶小罐,一,99.00,已付款',
  'S20260502-003,2026-05-02 15:31,13512229876,何清和,岩茶小罐,4,99.00,已退款',
  'S20260503-001,昨天下午,18812340099,宋时雨,明前龙井 250g,1,259.00,已付款',
].join('\n')

/** Customers worth a call: bought twice, near the shops or sent by a friend, silent since. */
const RULE = {
  v: 1,
  all: [
    { field: 'orders', op: 'gte', value: 2 },
    { any: [{ field: 'city', op: 'in', value: ['杭州', '上海'] }, { field: 'channel', key: 'first', op: 'in', value: ['referral'] }] },
    { field: 'lastOrder', op: 'olderThan', value: 60 },
  ],
}

/** Readers who became buyers, and may be asked back: what they did in order, how often, and what they allow. */
const AUDIENCE = {
  v: 1,
  all: [
    { sequence: { steps: [{ name: 'article.read' }, { name: 'order.paid' }], gap: { n: 7, unit: 'day' }, within: { last: 90, unit: 'day' } } },
    { event: { name: 'order.paid', measure: 'sum', property: 'total', op: 'gte', value: 30000, within: { last: 90, unit: 'day' } } },
    { any: [{ field: 'city', op: 'in', value: ['杭州', '上海', '苏州'] }, { event: { name: 'coupon.claimed', op: 'gte', value: 2, within: { last: 30, unit: 'day' } } }] },
    { none: [{ event: { name: 'order.refunded', within: { last: 30, unit: 'day' } } }] },
  ],
}

/** The API with a token, for what the pictures need beside the demo itself. */
function client(url, token) {
  return async (method, path, body) => {
    const raw = typeof body === 'string'
    const res = await fetch(url + path, {
      method, body: body === undefined ? undefined : raw ? body : JSON.stringify(body),
      headers: { authorization: `Bearer ${token}`, 'content-type': raw ? 'application/octet-stream' : 'application/json', 'accept-language': 'zh-CN' },
    })
    const text = await res.text()
    if (!res.ok) throw new Error(`${method} ${path}: ${res.status} ${text}`)
    return text ? JSON.parse(text) : undefined
  }
}

async function until(what, ask, seconds = 120) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const v = await ask()
    if (v) return v
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`)
    await new Promise((r) => setTimeout(r, 300))
  }
}

/** Waits for the demo, then adds an import with faults, a fact that is set aside, a plan that is broken. */
async function prepare(server) {
  const setup = await (await fetch(server.url + '/api/setup')).json()
  const account = setup.demoAccount
  const signIn = await fetch(server.url + '/api/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(account) })
  const cookie = signIn.headers.getSetCookie()[0].split(';')[0]
  await until('the demo fills', async () => (await (await fetch(server.url + '/api/session', { headers: { cookie } })).json()).demo?.state === 'ready', 600)
  const api = client(server.url, server.cli('token', 'create', '--name', '报表').trim())
  const key = server.cli('writekey', 'create', '--name', '官网').trim()
  const send = (path, body) => fetch(server.url + path, { method: 'POST', headers: { authorization: 'Basic ' + btoa(key + ':'), 'content-type': 'application/json' }, body: JSON.stringify(body) })

  const up = await api('POST', '/api/imports/files?name=' + encodeURIComponent('五月线下订单.csv'), ORDERS)
  const plan = { uploadId: up.id, kind: 'orders', mapping: up.suggestion.mapping, options: { ...up.suggestion.options, source: '线下门店' } }
  const made = await api('POST', '/api/imports', plan)
  await until('the import ends', async () => /succeeded|failed/.test((await api('GET', '/api/imports/' + made.id)).state))

  await send('/v1/track', { userId: 'null', event: 'coupon.viewed', properties: { coupon: '满 199 减 30' } }) // nobody's: set aside
  // A plan, and traffic that breaks it in every way.
  const event = 'product.viewed'
  await until('the dictionary learns', async () => (await api('GET', '/api/dictionary/events?limit=200')).items.some((e) => e.name === event))
  await api('PATCH', '/api/dictionary/events/' + event, { state: 'expected', description: '打开商品详情页', category: '商城' })
  for (const [name, expectedType, required] of [['sku', 'string', true], ['name', 'string', true], ['category', 'string', false], ['price', 'number', true]])
    await api('PUT', `/api/dictionary/events/${event}/properties/${name}`, { state: 'expected', expectedType, required })
  await api('POST', '/api/dictionary/events', { name: 'tea.tasted', displayName: '品鉴', description: '门店品鉴会上喝了哪一款' })
  const product = { sku: 'LJ-250', name: '明前龙井 250g', category: '绿茶', price: 259 }
  await send('/v1/track', { userId: 'u0000001', event, properties: { ...product, price: '259.00' } })
  await send('/v1/track', { userId: 'u0000002', event, properties: { name: product.name, price: product.price, color: '青' } })
  const segment = (await api('POST', '/api/segments', { name: '从文章来的买家', note: '读过文章、七天内下单，最近没有退款', kind: 'dynamic', rule: AUDIENCE })).segment.id
  await until('the segment is worked out', async () => (await api('GET', '/api/segments/' + segment)).status === 'ready')
  const people = await api('GET', '/api/contacts?sort=orders&limit=5')
  const who = people.items[0]
  if (who.phone) await api('POST', `/api/contacts/${who.id}/unmask`, { field: 'phone', reason: '客户来电核对收货手机号' })
  return { account, api, send, contact: who.id, segment, event, product, imported: made.id }
}

/** Name, path, and what to do before the picture. */
function pagesOf(ctx) {
  const live = async (page) => {
    const { sku, name, price } = ctx.product
    const facts = [['product.viewed', ctx.product], ['cart.added', { sku, name, price, quantity: 1 }], ['checkin.done', { streak: 3, points: 5 }]]
    for (let i = 0; i < 6; i++) {
      const [event, properties] = facts[i % 3]
      await ctx.send('/v1/track', { userId: `u000${1000 + i}`, event, properties, context: { channel: 'short_video' } })
    }
    await page.getByRole('row').nth(6).waitFor({ timeout: 20_000 })
  }
  const event = async (page) => {
    await page.getByText(ctx.event, { exact: true }).first().click()
    await page.waitForURL(/dictionary\/./)
  }
  const planned = async (page) => {
    await page.locator('input[type=file]').setInputFiles({ name: '五月线下订单.csv', mimeType: 'text/csv', buffer: Buffer.from(ORDERS) })
    await page.getByRole('button', { name: /^(预检|Dry run)$/ }).click()
    await page.getByText(/预检结果|What would happen/).first().waitFor()
  }
  const search = async (page) => {
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').last().or(page.getByRole('dialog').getByRole('textbox')).first().fill('wang')
    await page.waitForTimeout(700)
  }
  const opened = async (page) => {
    await page.getByRole('button', { name: /高级筛选|Filter builder/ }).click()
    await page.waitForTimeout(700)
  }
  const estimated = (page) => page.waitForFunction(() => /\d/.test(document.querySelector('[data-testid=estimate]')?.textContent ?? ''))
  return [
    { name: 'sign-in', path: '/sign-in', signedOut: true },
    { name: 'home', path: '/home', height: 1180 },
    { name: 'search', path: '/home', act: search },
    { name: 'people', path: '/people?metric=repeat' },
    { name: 'contacts', path: '/contacts' },
    { name: 'contact', path: `/contacts/${ctx.contact}`, height: 1000 },
    { name: 'lists', path: '/contacts?where=' + encodeURIComponent(JSON.stringify(RULE)), act: opened },
    { name: 'segments', path: '/segments' },
    { name: 'segment', path: `/segments/${ctx.segment}`, height: 1000 },
    { name: 'segment-edit', path: `/segments/${ctx.segment}/edit`, act: estimated, height: 1000 },
    { name: 'lifecycle', path: '/lifecycle' },
    { name: 'rfm', path: '/rfm' },
    { name: 'webhooks', path: '/webhooks' },
    { name: 'follow-ups', path: '/follow-ups' },
    { name: 'tags', path: '/tags' },
    { name: 'tags-bulk', path: '/tags?tab=runs' },
    { name: 'attributes', path: '/attributes' },
    { name: 'matches', path: '/matches', height: 1000 },
    { name: 'identities', path: '/identities', height: 1000 },
    { name: 'consent', path: '/consent' },
    { name: 'departments', path: '/team?tab=departments' },
    { name: 'contact-orders', path: `/contacts/${ctx.contact}?tab=orders` },
    { name: 'orders', path: '/orders' },
    { name: 'imports', path: '/imports' },
    { name: 'import-new', path: '/imports/new' },
    { name: 'import-check', path: '/imports/new', act: planned, height: 1500 },
    { name: 'import', path: `/imports/${ctx.imported}` },
    { name: 'dictionary', path: '/dictionary' },
    { name: 'dictionary-event', path: '/dictionary', act: event },
    { name: 'violations', path: '/dictionary?tab=violations' },
    { name: 'live', path: '/live', act: live },
    { name: 'set-aside', path: '/set-aside' },
    { name: 'jobs', path: '/jobs' },
    { name: 'audit', path: '/audit' },
    { name: 'team', path: '/team' },
    { name: 'roles', path: '/team?tab=roles' },
    { name: 'keys', path: '/keys' },
    { name: 'system', path: '/system' },
    { name: 'settings', path: '/settings' },
    { name: 'account', path: '/account' },
  ]
}

/** Everything has been asked for and drawn. */
async function settle(page) {
  await page.locator('h1').first().waitFor({ state: 'attached', timeout: 30_000 })
  await page.waitForLoadState('networkidle', { timeout: 5_000 }).catch(() => {}) // the live page and polls never rest
  await page.waitForFunction(() => !document.querySelector('.ant-skeleton-active, .ant-spin-spinning, [aria-busy="true"]'), null, { timeout: 40_000 })
  await page.evaluate(() => document.fonts.ready)
  await page.waitForTimeout(400) // charts draw in a frame of their own
}

const only = wanted()
mkdirSync(out, { recursive: true })
const server = await start({ demo: true, args: ['--demo-contacts', process.env.SHOTS_CONTACTS ?? '4000'] })
const browser = await launch()
let taken = 0
const trouble = []
try {
  const ctx = await prepare(server)
  for (const lang of ['zh-CN', 'en']) {
    await ctx.api('PATCH', '/api/dictionary/events/' + ctx.event, { displayName: lang === 'en' ? 'Product viewed' : '浏览商品' })
    for (const dark of [false, true]) {
      const suffix = `${lang === 'en' ? 'en' : 'zh'}-${dark ? 'dark' : 'light'}`
      const shots = pagesOf(ctx).filter((p) => !only || only.has(`${p.name}-${suffix}`))
      if (!shots.length) continue
      const { page, ctx: tab, faults } = await open(browser, { lang, dark, width: WIDTH })
      const shoot = async (p) => {
        try {
          await page.setViewportSize({ width: WIDTH, height: p.height ?? 900 })
          await page.goto(server.url + p.path)
          await settle(page)
          await p.act?.(page)
          if (p.act) await settle(page)
        } catch (error) {
          trouble.push(`${p.name}-${suffix}: ${String(error).split('\n')[0]}`)
        }
        const file = join(out, `${p.name}-${suffix}.png`)
        await page.screenshot({ path: file })
        taken++
        if (statSync(file).size > LARGEST) trouble.push(`${file} is larger than ${LARGEST >> 10} KB`)
        for (const f of faults.splice(0)) trouble.push(`${p.name}-${suffix}: ${f}`)
      }
      await page.goto(server.url + '/sign-in')
      await page.evaluate((l) => localStorage.setItem('koipond.lang', l), lang)
      for (const p of shots.filter((p) => p.signedOut)) await shoot(p)
      await page.evaluate(async ({ account, language }) => {
        const post = (method, path, body) => fetch(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
        await post('POST', '/api/session', account)
        await post('PATCH', '/api/session/user', { language })
      }, { account: ctx.account, language: lang })
      for (const p of shots.filter((p) => !p.signedOut)) await shoot(p)
      await tab.close()
    }
  }
} finally {
  await browser.close()
  await server.stop()
}
for (const t of trouble) console.error(t)
console.log(`${taken} pictures in ${out}`)
if (trouble.length) process.exitCode = 1
