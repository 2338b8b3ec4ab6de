import { cleanup, configure } from '@testing-library/react'
import { afterEach, beforeAll, beforeEach, vi } from 'vitest'
import { changeLang, i18n, initI18n } from '@/shared/i18n/i18n'
import type * as Theme from '@/shared/ui/theme'

// A busy machine draws slowly; waiting longer costs nothing when it does not.
configure({ asyncUtilTimeout: 8000 })

// jsdom reads every style sheet again for every look at a role, and the kit writes
// hundreds of them; what things look like is not what these tests are about.
vi.mock('@/shared/ui/theme', async (original) => ({
  ...(await original<typeof Theme>()),
  makeTheme: () => ({ zeroRuntime: true, token: { motion: false } }),
}))

// What jsdom lacks and the kit asks for.
window.matchMedia ??= ((query: string) => ({
  // Without motion, what closes is gone at once.
  matches: query.includes('reduced-motion'),
  media: query,
  onchange: null,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
  addListener: () => undefined,
  removeListener: () => undefined,
  dispatchEvent: () => false,
})) as typeof window.matchMedia
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
}
Element.prototype.scrollIntoView ??= () => undefined
Element.prototype.scrollTo ??= () => undefined

beforeAll(async () => {
  if (!i18n.isInitialized) await initI18n('zh-CN')
})

beforeEach(async () => {
  localStorage.clear()
  await changeLang('zh-CN')
})

afterEach(cleanup)
