import type { RouteObject } from 'react-router'
import { page } from './page'

/** Pages behind sign-in, by path. A page's navigation entry, if it has one, is in nav.ts. */
export const pages: RouteObject[] = [
  { path: 'account', lazy: page('session', () => import('@/features/session/pages/AccountPage')) },
  { path: 'settings', lazy: page('settings', () => import('@/features/settings/pages/SettingsPage')) },
]
