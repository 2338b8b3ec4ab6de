// Starts bin/koipond on a scratch data folder and a free port for one browser test.
import { spawn, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const bin = process.env.KOIPOND_BIN ?? resolve(import.meta.dirname, '../../bin/koipond')

export function freePort() {
  return new Promise((done, fail) => {
    const s = createServer()
    s.once('error', fail)
    s.listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)) })
  })
}

/** Start the server: `args` go after `serve` or, with demo, `demo`. */
export async function start({ demo = false, args = [], data } = {}) {
  if (!existsSync(bin)) throw new Error('bin/koipond is missing: run make build')
  const dir = data ?? mkdtempSync(join(tmpdir(), 'koipond-e2e-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(bin, [demo ? 'demo' : 'serve', '--data', dir, '--listen', `127.0.0.1:${port}`, '--log-level', 'warn', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  child.stdout.on('data', (b) => { out += b })
  child.stderr.on('data', (b) => { out += b })
  let stopping = false
  const exited = new Promise((done) => child.once('exit', done))
  child.once('exit', (code, signal) => {
    if (!stopping) console.error(`koipond ended by itself (${code ?? signal}):\n${out.slice(-8000)}`)
  })
  const until = Date.now() + 30_000
  for (;;) {
    if (child.exitCode !== null) throw new Error(`koipond stopped at once:\n${out}`)
    try { if ((await fetch(url + '/readyz')).ok) break } catch { /* not listening yet */ }
    if (Date.now() > until) { child.kill('SIGKILL'); throw new Error(`koipond was not ready in 30 s:\n${out}`) }
    await new Promise((r) => setTimeout(r, 100))
  }
  return {
    url, dir, output: () => out,
    cli: (...a) => execFileSync(bin, [...a, '--data', dir], { encoding: 'utf8' }),
    async stop(keep = false) {
      stopping = true
      child.kill('SIGTERM')
      const hard = setTimeout(() => child.kill('SIGKILL'), 20_000)
      await exited
      clearTimeout(hard)
      if (!keep && !data) rmSync(dir, { recursive: true, force: true })
    },
  }
}
