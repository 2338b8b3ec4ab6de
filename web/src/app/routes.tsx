import type { RouteObject } from 'react-router'
import { page } from './page'

/** Pages behind sign-in, by path. A page's navigation entry, if it has one, is in nav.ts. */
export const pages: RouteObject[] = [
  { path: 'home', lazy: page('overview', () => import('@/features/overview/pages/HomePage')) },
  { path: 'contacts', lazy: page(['contacts', 'care', 'consent'], () => import('./ContactsList')) },
  { path: 'contacts/:id', lazy: page(['contacts', 'orders', 'care', 'identity', 'matches', 'consent', 'attributes'], () => import('./ContactProfile')) },
  { path: 'matches', lazy: page('matches', () => import('@/features/matches/pages/MatchesPage')) },
  { path: 'identities', lazy: page(['identity', 'contacts'], () => import('@/features/identity/pages/IdentityPage')) },
  { path: 'people', lazy: page('contacts', () => import('@/features/contacts/pages/PeoplePage')) },
  { path: 'follow-ups', lazy: page('care', () => import('@/features/care/pages/FollowUpsPage')) },
  { path: 'attributes', lazy: page('attributes', () => import('@/features/attributes/pages/AttributesPage')) },
  { path: 'orders', lazy: page('orders', () => import('@/features/orders/pages/OrdersPage')) },
  { path: 'consent', lazy: page('consent', () => import('@/features/consent/pages/ConsentPage')) },
  { path: 'consent/people', lazy: page('consent', () => import('@/features/consent/pages/ConsentPeoplePage')) },
  { path: 'tags', lazy: page('tags', () => import('@/features/tags/pages/TagsPage')) },
  { path: 'lifecycle', lazy: page(['lifecycle', 'rules'], () => import('@/features/lifecycle/pages/LifecyclePage')) },
  { path: 'pools', lazy: page(['lifecycle', 'rules'], () => import('@/features/lifecycle/pages/PoolsPage')) },
  { path: 'account', lazy: page('session', () => import('@/features/session/pages/AccountPage')) },
  { path: 'settings', lazy: page('settings', () => import('@/features/settings/pages/SettingsPage')) },
  { path: 'imports', lazy: page('imports', () => import('@/features/imports/pages/ImportsPage')) },
  { path: 'imports/new', lazy: page('imports', () => import('@/features/imports/pages/NewImportPage')) },
  { path: 'imports/:id', lazy: page('imports', () => import('@/features/imports/pages/ImportPage')) },
  { path: 'dictionary', lazy: page('dictionary', () => import('@/features/dictionary/pages/DictionaryPage')) },
  { path: 'dictionary/:name', lazy: page('dictionary', () => import('@/features/dictionary/pages/EventPage')) },
  { path: 'live', lazy: page('facts', () => import('@/features/facts/pages/LivePage')) },
  { path: 'set-aside', lazy: page('facts', () => import('@/features/facts/pages/SetAsidePage')) },
  { path: 'jobs', lazy: page('jobs', () => import('@/features/jobs/pages/JobsPage')) },
  { path: 'audit', lazy: page('audit', () => import('@/features/audit/pages/AuditPage')) },
  { path: 'team', lazy: page('team', () => import('@/features/team/pages/TeamPage')) },
  { path: 'keys', lazy: page('keys', () => import('@/features/keys/pages/KeysPage')) },
  { path: 'system', lazy: page('system', () => import('@/features/system/pages/SystemPage')) },
]
