// A small demo pond for browser tests: started, filled, and somebody signed in to it.
import assert from 'node:assert/strict'
import { launch, open } from './browser.mjs'
import { start } from './server.mjs'

/** The demo's first user and the password that it printed, from the server's output. */
function loginOf(output) {
  const password = /\bpond-\S+/.exec(output)?.[0]
  const email = /\S+@\S+/.exec(output)?.[0]
  assert.ok(password && email, `the demo prints no sign-in:\n${output}`)
  return { email, password }
}

/** Starts a demo pond and a browser, and waits until the pond is full and what happens at the simulated platforms
 * afterwards is over, too: figures stay as they are. */
export async function startDemo(contacts = 400, args = []) {
  const server = await start({ demo: true, args: ['--demo-contacts', String(contacts), ...args] })
  const browser = await launch()
  const login = loginOf(server.output())

  /** A page of somebody who is signed in. */
  async function signedIn(lang) {
    const opened = await open(browser, { lang })
    const answer = await opened.page.request.post(server.url + '/api/session', { data: login })
    assert.equal(answer.status(), 200, await answer.text())
    return opened
  }

  async function stop() {
    await browser.close()
    await server.stop()
  }

  try {
    await filled()
  } catch (error) {
    await stop() // or the server would outlive the test
    throw error
  }
  return { url: server.url, signedIn, stop }

  async function filled() {
    const { page, ctx } = await signedIn('zh-CN')
    const until = Date.now() + 120_000
    for (;;) {
      const me = await (await page.request.get(server.url + '/api/session')).json()
      if (me.demo?.state === 'ready' && me.demo.still) break
      assert.ok(Date.now() < until, `the demo did not fill: ${JSON.stringify(me.demo)}`)
      await new Promise((r) => setTimeout(r, 250))
    }
    await ctx.close()
  }
}
