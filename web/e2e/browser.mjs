// One Chromium for all browser tests; every test gets a fresh context.
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

const paths = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']

export async function launch() {
  const executablePath = paths.find((p) => p && existsSync(p))
  if (!executablePath) throw new Error('no Chromium found: apt-get install chromium, or set CHROMIUM to one')
  return chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
}

/**
 * A page in a language ('zh-CN' or 'en') and theme that fails the test on any script error. Nothing
 * moves on it: a dialog that grows under the pointer between press and release loses the click.
 */
export async function open(browser, { lang = 'zh-CN', dark = false, width = 1440, height = 900 } = {}) {
  const ctx = await browser.newContext({ locale: lang, colorScheme: dark ? 'dark' : 'light', viewport: { width, height }, reducedMotion: 'reduce', timezoneId: 'Asia/Shanghai' })
  const page = await ctx.newPage()
  const faults = []
  page.on('pageerror', (e) => faults.push(String(e)))
  page.on('console', (m) => { if (m.type() === 'error' && !/Failed to load resource/.test(m.text())) faults.push(m.text()) })
  return { page, ctx, faults }
}
