// The flows that must never break, in both languages: first run, sign-in,
// a file with bad rows, finding a person, and from a number to its people.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { launch, open } from './browser.mjs'
import { start } from './server.mjs'

const words = (feature, lang) => JSON.parse(readFileSync(join(import.meta.dirname, `../src/features/${feature}/locales/${lang}.json`), 'utf8'))
const appWords = (lang) => JSON.parse(readFileSync(join(import.meta.dirname, `../src/app/locales/${lang}.json`), 'utf8'))

const EMAIL = 'zhixia@example.com'
const PASSWORD = 'chun-shan-yue-2026'
const PEOPLE = ['王雨桐', '李浩然', '欧阳静', '陈思远', '周安然']

/** Nine rows, of which two cannot come in: one names nobody, one has no phone number where it should. */
function contactsFile(dir) {
  const rows = PEOPLE.map((name, i) => `${name},1380013800${i},上海`)
  rows.push('赵一诺,,杭州', '孙小满,not-a-phone,南京', '吴书瑶,13900139001,成都', '郑清妍,13900139002,西安')
  const file = join(dir, '客户名单.csv')
  writeFileSync(file, '姓名,手机号,城市\n' + rows.join('\n') + '\n')
  return file
}

/** The rows of the list on screen, without its loading shape. */
const rows = (page) => page.locator('.kp-table tbody tr.kp-row-opens')

async function until(check, ms = 20_000) {
  const end = Date.now() + ms
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`did not come true within ${ms} ms: ${check}`)
    await new Promise((r) => setTimeout(r, 100))
  }
}

for (const lang of ['zh-CN', 'en']) {
  describe(`flows in ${lang}`, () => {
    const S = words('session', lang)
    const I = words('imports', lang)
    const C = words('contacts', lang)
    const O = words('overview', lang)
    const A = appWords(lang)
    let server, browser, view, scratch

    before(async () => {
      scratch = mkdtempSync(join(tmpdir(), 'koipond-e2e-files-'))
      server = await start()
      browser = await launch()
      view = await open(browser, { lang })
      view.page.setDefaultTimeout(20_000)
    })
    after(async () => {
      await browser?.close()
      await server?.stop()
      rmSync(scratch, { recursive: true, force: true })
    })

    test('first run sets up the administrator', async () => {
      const { page } = view
      await page.goto(server.url + '/')
      await page.getByRole('heading', { name: S.setup.title }).waitFor()
      await page.getByLabel(S.field.company).fill('山月茶集')
      await page.getByLabel(S.field.name, { exact: true }).fill('沈知夏')
      await page.getByLabel(S.field.email).fill(EMAIL)
      await page.getByLabel(S.field.password, { exact: true }).fill('short')
      await page.getByRole('button', { name: S.setup.submit }).click()
      await page.locator('.ant-form-item-explain-error').first().waitFor() // a weak password is refused at its field
      await page.getByLabel(S.field.password, { exact: true }).fill(PASSWORD)
      await page.getByRole('button', { name: S.setup.submit }).click()
      await page.waitForURL('**/home**')
      await page.getByRole('navigation').first().getByText(A.nav.contacts, { exact: true }).first().waitFor()
    })

    test('sign out and in again; a wrong password is refused in words', async () => {
      const { page } = view
      await page.context().clearCookies()
      await page.goto(server.url + '/contacts')
      await page.getByRole('heading', { name: S.signIn.title }).waitFor()
      await page.getByLabel(S.field.email).fill(EMAIL)
      await page.getByLabel(S.field.password, { exact: true }).fill('not-the-password')
      await page.getByRole('button', { name: S.signIn.submit, exact: true }).click()
      await page.getByRole('alert').first().waitFor()
      await page.getByLabel(S.field.password, { exact: true }).fill(PASSWORD)
      await page.getByRole('button', { name: S.signIn.submit, exact: true }).click()
      await page.waitForURL('**/contacts') // back where the reader wanted to go
      await page.getByRole('heading', { level: 1, name: C.list.title }).waitFor()
    })

    test('a file with bad rows: what would happen, what came in, what did not and why', async () => {
      const { page } = view
      await page.goto(server.url + '/imports/new')
      await page.locator('input[type=file]').setInputFiles(contactsFile(scratch))
      await page.getByRole('button', { name: I.check.ok, exact: true }).click()
      await page.getByRole('heading', { name: I.check.title }).waitFor()
      await page.getByText(I.check.out, { exact: true }).first().waitFor()
      await page.getByRole('button', { name: I.start, exact: true }).click()
      await page.waitForURL(/\/imports\/im_/)
      await page.getByText(I.state.succeeded, { exact: true }).first().waitFor()
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: I.rejects }).or(page.getByRole('button', { name: I.rejects })).first().click()])
      const rejected = readFileSync(await download.path(), 'utf8')
      assert.match(rejected, /孙小满/)
      assert.match(rejected, /赵一诺/)
      assert.doesNotMatch(rejected, /王雨桐/)
    })

    test('find a person by pinyin and read the profile; the phone is masked', async () => {
      const { page } = view
      await page.goto(server.url + '/contacts')
      await page.getByRole('searchbox', { name: C.filter.search }).fill('ouyang')
      await until(async () => (await rows(page).count()) === 1)
      await rows(page).getByRole('link').first().click()
      await page.waitForURL(/\/contacts\/ct_/)
      await page.getByRole('heading', { name: /欧阳静/ }).waitFor()
      await page.getByText('138****8002').first().waitFor()
      assert.ok(!(await page.content()).includes('13800138002'), 'the full phone number must not be on the page')
    })

    test('from a number to exactly its people', async () => {
      const { page } = view
      await page.goto(server.url + '/home')
      const size = page.getByRole('region', { name: O.kpi.label }).getByRole('link', { name: new RegExp(O.kpi.size) })
      await size.waitFor()
      const shown = Number((await size.innerText()).replace(O.kpi.size, '').match(/[\d,]+/)[0].replaceAll(',', ''))
      assert.equal(shown, 7)
      await size.click()
      await page.waitForURL(/\/people\?/)
      await page.getByRole('link', { name: /王雨桐/ }).first().waitFor()
      await until(async () => (await rows(page).count()) === shown)
    })

    test('no script error on any page, light and dark', async () => {
      const { page, faults } = view
      for (const path of ['home', 'contacts', 'orders', 'imports', 'dictionary', 'live', 'set-aside', 'jobs', 'audit', 'team', 'keys', 'system', 'settings', 'account']) {
        await page.goto(`${server.url}/${path}`)
        await page.locator('h1').first().waitFor()
      }
      assert.deepEqual(faults, [])
    })
  })
}
