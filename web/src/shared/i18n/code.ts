import { i18n } from './i18n'

/**
 * Words for a code that comes from the server as plain text, such as the code of
 * a piece of advice: looks up `ns:prefix.code` and falls back to the code itself,
 * so that a newer server never breaks an older console.
 */
export function codeText(ns: string, prefix: string, code: string, params: Record<string, unknown> = {}): string {
  const key = `${ns}:${prefix}.${code}`
  return i18n.exists(key, params) ? String(i18n.t(key as never, params as never)) : code
}
