// Written by scripts/gen-i18n-types.mjs. Do not edit.
import 'i18next'
import type common from '@/shared/i18n/locales/zh-CN.json'
import type app from '@/app/locales/zh-CN.json'
import type overview from '@/features/overview/locales/zh-CN.json'
import type session from '@/features/session/locales/zh-CN.json'
import type settings from '@/features/settings/locales/zh-CN.json'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common'
    resources: {
      common: typeof common
      app: typeof app
      overview: typeof overview
      session: typeof session
      settings: typeof settings
    }
  }
}
