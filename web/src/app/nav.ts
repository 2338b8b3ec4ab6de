import {
  Activity,
  Cable,
  CalendarClock,
  BookText,
  Combine,
  ContactRound,
  FileInput,
  Gem,
  Fingerprint,
  Link2,
  KeyRound,
  LayoutDashboard,
  ListChecks,
  MailCheck,
  MessagesSquare,
  MessageSquareReply,
  PackageX,
  PanelTop,
  QrCode,
  ScanLine,
  Split,
  Route,
  ScrollText,
  Server,
  Settings,
  ShieldAlert,
  ShieldCheck,
  TableProperties,
  ShoppingBag,
  Smartphone,
  Tags,
  Target,
  UserCog,
  Users,
  Waves,
  Webhook,
  type LucideIcon,
} from 'lucide-react'
import type { Permission } from '../shared/lib/session'

export interface NavItem {
  path: string
  key:
    | 'home'
    | 'live-codes'
    | 'channels'
    | 'links'
    | 'landing-pages'
    | 'traffic'
    | 'replies'
    | 'scene-codes'
    | 'contacts'
    | 'segments'
    | 'follow-ups'
    | 'staff'
    | 'groups'
    | 'matches'
    | 'identities'
    | 'orders'
    | 'consent'
    | 'attributes'
    | 'lifecycle'
    | 'pools'
    | 'rfm'
    | 'tags'
    | 'connectors'
    | 'callbacks'
    | 'be-a-customer'
    | 'imports'
    | 'dictionary'
    | 'live'
    | 'set-aside'
    | 'jobs'
    | 'audit'
    | 'team'
    | 'keys'
    | 'webhooks'
    | 'system-status'
    | 'settings'
  icon: LucideIcon
  /** What the user must hold to see it. */
  needs: Permission
  /** Only where the demo runs, with its simulator. */
  demo?: true
  /** Tells of everybody's customers: not for those who see only some. */
  whole?: true
}

export interface NavGroup {
  key: 'overview' | 'acquire' | 'customers' | 'connections' | 'data' | 'system'
  items: NavItem[]
}

/** The navigation, in the order it is shown. */
export const NAV: readonly NavGroup[] = [
  { key: 'overview', items: [{ path: '/home', key: 'home', icon: LayoutDashboard, needs: 'overview.read' }] },
  {
    key: 'acquire',
    items: [
      { path: '/live-codes', key: 'live-codes', icon: QrCode, needs: 'acquire.read' },
      { path: '/channels', key: 'channels', icon: Split, needs: 'acquire.read', whole: true },
      { path: '/links', key: 'links', icon: Link2, needs: 'acquire.read' },
      { path: '/landing-pages', key: 'landing-pages', icon: PanelTop, needs: 'acquire.read', whole: true },
      { path: '/traffic', key: 'traffic', icon: ShieldAlert, needs: 'acquire.read', whole: true },
      { path: '/scene-codes', key: 'scene-codes', icon: ScanLine, needs: 'acquire.read' },
      { path: '/replies', key: 'replies', icon: MessageSquareReply, needs: 'acquire.read' },
    ],
  },
  {
    key: 'customers',
    items: [
      { path: '/contacts', key: 'contacts', icon: Users, needs: 'contact.read' },
      { path: '/segments', key: 'segments', icon: Target, needs: 'segment.read' },
      { path: '/follow-ups', key: 'follow-ups', icon: CalendarClock, needs: 'contact.read' },
      { path: '/staff', key: 'staff', icon: ContactRound, needs: 'team.read' },
      { path: '/groups', key: 'groups', icon: MessagesSquare, needs: 'acquire.read' },
      { path: '/tags', key: 'tags', icon: Tags, needs: 'contact.read' },
      { path: '/lifecycle', key: 'lifecycle', icon: Route, needs: 'segment.read' },
      { path: '/pools', key: 'pools', icon: Waves, needs: 'segment.read' },
      { path: '/rfm', key: 'rfm', icon: Gem, needs: 'segment.read' },
      { path: '/attributes', key: 'attributes', icon: TableProperties, needs: 'contact.read' },
      { path: '/matches', key: 'matches', icon: Combine, needs: 'contact.read' },
      { path: '/identities', key: 'identities', icon: Fingerprint, needs: 'identity.write' },
      { path: '/consent', key: 'consent', icon: ShieldCheck, needs: 'contact.read' },
      { path: '/orders', key: 'orders', icon: ShoppingBag, needs: 'order.read' },
    ],
  },
  {
    key: 'connections',
    items: [
      { path: '/connectors', key: 'connectors', icon: Cable, needs: 'connector.read' },
      { path: '/callbacks', key: 'callbacks', icon: MailCheck, needs: 'connector.read' },
      { path: '/be-a-customer', key: 'be-a-customer', icon: Smartphone, needs: 'connector.read', demo: true },
    ],
  },
  {
    key: 'data',
    items: [
      { path: '/imports', key: 'imports', icon: FileInput, needs: 'import.read' },
      { path: '/dictionary', key: 'dictionary', icon: BookText, needs: 'dictionary.read' },
      { path: '/live', key: 'live', icon: Activity, needs: 'facts.read' },
      { path: '/set-aside', key: 'set-aside', icon: PackageX, needs: 'facts.read' },
    ],
  },
  {
    key: 'system',
    items: [
      { path: '/jobs', key: 'jobs', icon: ListChecks, needs: 'jobs.read' },
      { path: '/audit', key: 'audit', icon: ScrollText, needs: 'audit.read' },
      { path: '/team', key: 'team', icon: UserCog, needs: 'team.read' },
      { path: '/keys', key: 'keys', icon: KeyRound, needs: 'keys.read' },
      { path: '/webhooks', key: 'webhooks', icon: Webhook, needs: 'keys.read' },
      { path: '/system', key: 'system-status', icon: Server, needs: 'system.read' },
      { path: '/settings', key: 'settings', icon: Settings, needs: 'settings.write' },
    ],
  },
]

/** The navigation as this user sees it: without what they may not open, without the demo's own where there is none, and without empty groups. */
export function navFor(permissions: readonly string[], demo = false, everybody = true): NavGroup[] {
  const held = new Set(permissions)
  return NAV.map((g) => ({ ...g, items: g.items.filter((i) => held.has(i.needs) && (demo || !i.demo) && (everybody || !i.whole)) })).filter((g) => g.items.length > 0)
}

/** The entry a path belongs to: '/contacts/c1' belongs to '/contacts'. */
export function navItemAt(pathname: string): { group: NavGroup; item: NavItem } | undefined {
  for (const group of NAV) {
    const item = group.items.find((i) => pathname === i.path || pathname.startsWith(i.path + '/'))
    if (item) return { group, item }
  }
  return undefined
}

/** Where this user lands after signing in: home, or the first page they may open. */
export function landing(permissions: readonly string[]): string {
  return navFor(permissions)[0]?.items[0]?.path ?? '/account'
}
