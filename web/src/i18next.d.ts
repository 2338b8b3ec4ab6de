// Written by scripts/gen-i18n-types.mjs. Do not edit.
import 'i18next'
import type common from '@/shared/i18n/locales/zh-CN.json'
import type app from '@/app/locales/zh-CN.json'
import type rules from '@/shared/rules/locales/zh-CN.json'
import type attributes from '@/features/attributes/locales/zh-CN.json'
import type audit from '@/features/audit/locales/zh-CN.json'
import type care from '@/features/care/locales/zh-CN.json'
import type channels from '@/features/channels/locales/zh-CN.json'
import type connectors from '@/features/connectors/locales/zh-CN.json'
import type consent from '@/features/consent/locales/zh-CN.json'
import type contacts from '@/features/contacts/locales/zh-CN.json'
import type dictionary from '@/features/dictionary/locales/zh-CN.json'
import type facts from '@/features/facts/locales/zh-CN.json'
import type groups from '@/features/groups/locales/zh-CN.json'
import type identity from '@/features/identity/locales/zh-CN.json'
import type imports from '@/features/imports/locales/zh-CN.json'
import type jobs from '@/features/jobs/locales/zh-CN.json'
import type keys from '@/features/keys/locales/zh-CN.json'
import type lifecycle from '@/features/lifecycle/locales/zh-CN.json'
import type links from '@/features/links/locales/zh-CN.json'
import type livecodes from '@/features/livecodes/locales/zh-CN.json'
import type matches from '@/features/matches/locales/zh-CN.json'
import type orders from '@/features/orders/locales/zh-CN.json'
import type overview from '@/features/overview/locales/zh-CN.json'
import type pages from '@/features/pages/locales/zh-CN.json'
import type replies from '@/features/replies/locales/zh-CN.json'
import type rfm from '@/features/rfm/locales/zh-CN.json'
import type scenes from '@/features/scenes/locales/zh-CN.json'
import type segments from '@/features/segments/locales/zh-CN.json'
import type session from '@/features/session/locales/zh-CN.json'
import type settings from '@/features/settings/locales/zh-CN.json'
import type sim from '@/features/sim/locales/zh-CN.json'
import type staff from '@/features/staff/locales/zh-CN.json'
import type system from '@/features/system/locales/zh-CN.json'
import type tags from '@/features/tags/locales/zh-CN.json'
import type team from '@/features/team/locales/zh-CN.json'
import type traffic from '@/features/traffic/locales/zh-CN.json'
import type webhooks from '@/features/webhooks/locales/zh-CN.json'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common'
    resources: {
      common: typeof common
      app: typeof app
      rules: typeof rules
      attributes: typeof attributes
      audit: typeof audit
      care: typeof care
      channels: typeof channels
      connectors: typeof connectors
      consent: typeof consent
      contacts: typeof contacts
      dictionary: typeof dictionary
      facts: typeof facts
      groups: typeof groups
      identity: typeof identity
      imports: typeof imports
      jobs: typeof jobs
      keys: typeof keys
      lifecycle: typeof lifecycle
      links: typeof links
      livecodes: typeof livecodes
      matches: typeof matches
      orders: typeof orders
      overview: typeof overview
      pages: typeof pages
      replies: typeof replies
      rfm: typeof rfm
      scenes: typeof scenes
      segments: typeof segments
      session: typeof session
      settings: typeof settings
      sim: typeof sim
      staff: typeof staff
      system: typeof system
      tags: typeof tags
      team: typeof team
      traffic: typeof traffic
      webhooks: typeof webhooks
    }
  }
}
