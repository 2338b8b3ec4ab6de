// Auto-replies of the demo's official account: a keyword written in the console answers a customer at once, and so does a button of the menu; in both languages.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './demo.mjs'

let pond
before(async () => {
  pond = await startDemo()
}, { timeout: 150_000 })
after(() => pond?.stop())

const WORDS = {
  'zh-CN': { fresh: '新建自动回复', name: '名称', word: '关键词 1', text: '文字', save: '保存', ask: '客户会说什么？', send: '试一试', menu: '自定义菜单', above: '在“会员”下添加', publish: '发布', button: '名称', choose: '自动回复', taps: '点击统计', part: '菜单消息', head: '菜单上方的话', line: '第 1 项', does: '第 1 项点了之后', chooses: '选定回复', which: '第 1 项的自动回复' },
  en: { fresh: 'New auto-reply', name: 'Name', word: 'Keyword 1', text: 'Text', save: 'Save', ask: 'What would a customer write?', send: 'Try', menu: 'Menu', above: 'Add above “会员”', publish: 'Publish', button: 'Name', choose: 'Auto-reply', taps: 'Taps', part: 'Menu message', head: 'Above the menu', line: 'Line 1', does: 'What a tap on line 1 does', chooses: 'Auto-reply', which: 'Auto-reply of line 1' },
}

/** Waits until something is so: the pond works on callbacks in its own time. */
async function until(what, check) {
  for (const end = Date.now() + 20_000; ; ) {
    const got = await check()
    if (got) return got
    assert.ok(Date.now() < end, what)
    await new Promise((done) => setTimeout(done, 100))
  }
}

for (const lang of ['zh-CN', 'en']) {
  test(`${lang}: a keyword and a menu button answer a customer`, async () => {
    const t = WORDS[lang]
    const { page, ctx, faults } = await pond.signedIn(lang)
    const ask = async (path, body) => {
      const res = body ? await page.request.post(pond.url + path, { data: body, headers: { Origin: pond.url } }) : await page.request.get(pond.url + path)
      assert.ok(res.ok(), `${path}: ${res.status()} ${await res.text()}`)
      return res.json()
    }
    const account = await until('the demo has auto-replies', async () => {
      const { items } = await ask('/api/replies/accounts')
      return items[0] && (await ask(`/api/replies?account=${items[0].id}`)).total >= 10 && items[0]
    })
    const app = (await ask('/api/connectors')).items.find((a) => a.id === account.id).settings.appId
    const word = `暗号${lang === 'en' ? 'en' : 'zh'}${Date.now() % 1e6}`
    const says = `收到${word}，茶已备好`

    await page.goto(pond.url + '/replies')
    await page.getByRole('button', { name: t.fresh }).first().click()
    const form = page.getByRole('dialog')
    await form.getByRole('textbox', { name: t.name, exact: true }).fill(word)
    await form.getByRole('textbox', { name: t.word }).fill(word)
    await form.getByRole('textbox', { name: t.text, exact: true }).fill(says)
    await form.getByRole('button', { name: t.save }).click()
    await form.waitFor({ state: 'detached' })
    await page.getByRole('textbox', { name: t.ask }).fill(`请问${word}`)
    await page.getByRole('button', { name: t.send }).click()
    await page.getByRole('figure').getByText(says).waitFor()

    const { id: who } = await ask('/api/sim/acts', { does: 'invent', who: lang === 'en' ? 'Ada Lin' : '林一诺' })
    await ask('/api/sim/acts', { does: 'follow', who, with: app })
    await ask('/api/sim/acts', { does: 'ask', who, with: app, text: `请问${word}` })
    const heard = async () => JSON.stringify(await ask(`/api/sim/phones/${who}`))
    await until('the keyword is answered', async () => (await heard()).includes(says))
    assert.ok((await heard()).includes('欢迎来到山月茶集'), 'who follows is welcomed')

    await page.getByRole('tab', { name: t.menu }).click()
    const phone = page.getByRole('figure')
    await phone.getByRole('button', { name: '会员', exact: true }).click()
    await phone.getByRole('button', { name: t.above }).click()
    await page.getByRole('textbox', { name: t.button, exact: true }).fill(word.slice(0, 20))
    await page.getByRole('combobox', { name: t.choose }).fill(word)
    await page.locator('.ant-select-item-option', { hasText: word }).click()
    await page.getByRole('button', { name: t.publish }).first().click()
    await page.getByRole('dialog').getByRole('button', { name: t.publish }).click()
    const menu = await until('the menu is published', async () => {
      const m = await ask(`/api/menus/${account.id}`)
      return m.same && JSON.stringify(m.published?.buttons ?? []).includes(word.slice(0, 20)) && m
    })
    assert.ok(menu.published.n > 1)
    const before = (await heard()).split(says).length
    await ask('/api/sim/acts', { does: 'press', who, with: app, what: word.slice(0, 20) })
    await until('the button answers', async () => (await heard()).split(says).length > before)
    const fresh = await until('the tap is counted', async () => (await ask(`/api/menus/${account.id}/stats`)).buttons.find((b) => b.name === word.slice(0, 20) && b.clicks === 1))
    assert.equal(fresh.people, 1)
    await page.reload()
    const row = page.getByRole('table', { name: t.taps }).getByRole('row', { name: word.slice(0, 20) })
    await row.getByRole('link', { name: '1', exact: true }).click()
    await page.waitForURL(/\/contacts\?/)
    await until('whoever tapped is listed, and nobody else', async () => (await page.getByRole('table').locator('tbody tr').count()) === 1)

    // Customer service greets with a menu; a tapped line is answered by the rule that it chose.
    const desk = (await ask('/api/replies/accounts')).items.find((a) => a.kind === 'wecom')
    await page.goto(`${pond.url}/replies?account=${desk.id}`)
    await page.getByRole('button', { name: t.fresh }).first().click()
    await form.getByRole('textbox', { name: t.name, exact: true }).fill(`菜单${word}`)
    await form.getByRole('textbox', { name: t.word }).fill(`看${word}`)
    await form.getByRole('button', { name: t.text, exact: true }).click()
    await page.getByRole('menuitem', { name: t.part }).click()
    await form.getByRole('textbox', { name: t.head }).fill('想看什么？')
    await form.getByRole('textbox', { name: t.line, exact: true }).fill(`选${word}`)
    await form.getByRole('combobox', { name: t.does }).click()
    await page.locator('.ant-select-item-option', { hasText: t.chooses }).click()
    await form.getByRole('combobox', { name: t.which }).fill('客服：查订单')
    await page.locator('.ant-select-item-option', { hasText: '客服：查订单' }).click()
    await form.getByRole('button', { name: t.save }).click()
    await form.waitFor({ state: 'detached' })
    await ask('/api/sim/acts', { does: 'ask', who, text: `看${word}` })
    await until('the menu is shown', async () => (await heard()).includes(`选${word}`))
    await ask('/api/sim/acts', { does: 'tap', who, what: `选${word}` })
    await until('the line is answered by its rule', async () => (await heard()).includes('请发来下单的手机号后四位'))
    assert.deepEqual(faults, [])
    await ctx.close()
  })
}
