// From a filter to a shared view, and from a selection to a file, in both languages.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

const words = {
  'zh-CN': { build: '高级筛选', add: '加条件', search: '搜索条件', orders: '订单数', op: '比较方式', gte: '至少', value: '值', apply: '应用', saveAs: '另存为视图', name: '视图名称', share: '共享给所有能看客户的人', save: '保存', all: /选择全部符合条件/, pick: '全选', exp: '导出', run: '开始导出', csv: 'CSV' },
  en: { build: 'Filter builder', add: 'Add condition', search: 'Search conditions', orders: 'Orders', op: 'Comparison', gte: 'at least', value: 'Value', apply: 'Apply', saveAs: 'Save as view', name: 'Name of the view', share: 'Share with everybody who may see contacts', save: 'Save', all: /Select all .* that match/, pick: 'Select all', exp: 'Export', run: 'Export', csv: 'CSV' },
}

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: a filter becomes a shared view, and all that match a file`, async () => {
    const w = words[lang]
    const { page, ctx, faults } = await pond.signedIn(lang)
    await page.goto(pond.url + '/contacts')
    await page.getByRole('button', { name: w.build }).click()
    const builder = page.getByRole('dialog')
    await builder.getByRole('button', { name: w.add, exact: true }).click()
    await page.getByRole('combobox', { name: w.search }).fill(w.orders)
    await page.keyboard.press('Enter')
    await builder.getByRole('combobox', { name: w.op }).click()
    await page.locator(`.ant-select-dropdown:visible .ant-select-item-option[title="${w.gte}"]`).click()
    await builder.getByLabel(w.value, { exact: true }).fill('1')
    await builder.getByRole('button', { name: w.apply }).click()
    await page.waitForURL((u) => u.searchParams.get('where')?.includes('"orders"'))
    const where = new URL(page.url()).searchParams.get('where')
    const { total } = await (await page.request.get(`${pond.url}/api/contacts?limit=1&where=${encodeURIComponent(where)}`)).json()
    assert.ok(total > 0)

    const name = `${lang} ${Date.now()}`
    await page.getByRole('button', { name: w.saveAs }).click()
    const saving = page.getByRole('dialog')
    await saving.getByLabel(w.name).fill(name)
    await saving.getByText(w.share).click()
    await saving.getByRole('button', { name: w.save, exact: true }).click()
    const tab = page.locator('nav button[aria-current=page]', { hasText: name })
    await tab.waitFor()
    await page.reload()
    await tab.waitFor()
    const views = await (await page.request.get(`${pond.url}/api/contact-views`)).json()
    assert.equal(views.items.find((v) => v.name === name)?.shared, true)

    await page.getByRole('checkbox', { name: w.pick, exact: true }).check()
    await page.getByRole('button', { name: w.all }).click()
    await page.getByRole('region').getByRole('button', { name: w.exp, exact: true }).click()
    const exporting = page.getByRole('dialog')
    await exporting.locator('.ant-select').first().waitFor() // the dialog has come to rest
    await exporting.getByText(w.csv, { exact: true }).click()
    await exporting.locator('.ant-segmented-item-selected', { hasText: w.csv }).waitFor()
    await exporting.getByRole('button', { name: w.run, exact: true }).click()
    await exporting.waitFor({ state: 'detached' })
    let job
    for (let i = 0; i < 120 && job?.state !== 'succeeded'; i++) {
      const { items } = await (await page.request.get(`${pond.url}/api/jobs?kind=contact.export&limit=1`)).json()
      job = items[0]
      if (job?.state === 'failed') break
      await page.waitForTimeout(500)
    }
    assert.equal(job?.state, 'succeeded')
    await page.goto(pond.url + '/jobs')
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator(`a[href*="${job.id}/file"]`).click()])
    const text = await readFile(await download.path(), 'utf8')
    const lines = text.trim().split('\n')
    assert.ok(text.startsWith('\ufeff'), 'Excel reads it as UTF-8')
    assert.equal(lines.length, total + 1)
    assert.match(text, /1\d\d\*\*\*\*\d{4}/, 'phone numbers are masked')
    assert.doesNotMatch(text, /(?<![\d*])1[3-9]\d{9}(?!\d)/, 'and none stands in full')
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
