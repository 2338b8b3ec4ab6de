import { useQuery } from '@tanstack/react-query'
import { BookText, FileInput, Languages, LogOut, Moon, ShoppingBag, Sun, Target, UserRound, UserCircle } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { api, unwrap } from '@/shared/api/client'
import type { SearchResult } from '@/shared/api/types'
import { formatMoney } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useMe, type Permission } from '@/shared/lib/session'
import { useSettled } from '@/shared/lib/settled'
import { useSignOut } from '../AccountMenu'
import { navFor } from '../nav'
import { matches, type Entry } from './entries'

/** Pages and actions whose names match, at once. */
function useFixed(text: string): Entry[] {
  const { t } = useTranslation('app')
  const me = useMe()
  const go = useNavigate()
  const { dark, lang, setLang, setMode } = usePrefs()
  const leave = useSignOut()
  const pages = navFor(me.permissions, !!me.demo, me.scope === 'all').flatMap((g) =>
    g.items.map((i): Entry => ({ id: i.path, group: 'pages', label: t(`nav.${i.key}`), detail: t(`nav.${g.key}`), icon: i.icon, run: () => void go(i.path) })),
  )
  const may = (p: Permission) => me.permissions.includes(p)
  const actions: Entry[] = [
    ...(may('segment.write') ? [{ id: '/segments/new', group: 'actions' as const, label: t('palette.newSegment'), icon: Target, run: () => void go('/segments/new') }] : []),
    { id: 'account', group: 'actions', label: t('me.account'), icon: UserCircle, run: () => void go('/account') },
    { id: 'theme', group: 'actions', label: dark ? t('palette.light') : t('palette.dark'), icon: dark ? Sun : Moon, run: () => setMode(dark ? 'light' : 'dark') },
    { id: 'language', group: 'actions', label: t('palette.language'), icon: Languages, run: () => void setLang(lang === 'en' ? 'zh-CN' : 'en') },
    { id: 'sign-out', group: 'actions', label: t('me.signOut'), icon: LogOut, run: () => void leave() },
  ]
  return [...pages, ...actions].filter((e) => matches(text, e.label, e.id))
}

function found(result: SearchResult, lang: string, go: (to: string) => void): Entry[] {
  return [
    ...result.contacts.map((c): Entry => ({
      id: `contact:${c.id}`,
      group: 'contacts',
      label: c.name,
      detail: [c.phone, c.email, c.city].filter(Boolean).join(' · '),
      icon: UserRound,
      run: () => go(`/contacts/${encodeURIComponent(c.id)}`),
    })),
    ...result.orders.map((o): Entry => ({
      id: `order:${o.id}`,
      group: 'orders',
      label: o.number,
      detail: [o.contact?.name, formatMoney(o.total, lang)].filter(Boolean).join(' · '),
      icon: ShoppingBag,
      run: () => go(`/orders/${encodeURIComponent(o.id)}`),
    })),
    ...result.events.map((e): Entry => ({
      id: `event:${e.name}`,
      group: 'events',
      label: e.displayName || e.name,
      detail: e.name,
      icon: BookText,
      run: () => go(`/dictionary/${encodeURIComponent(e.name)}`),
    })),
    ...result.imports.map((i): Entry => ({
      id: `import:${i.id}`,
      group: 'imports',
      label: i.name,
      icon: FileInput,
      run: () => go(`/imports/${encodeURIComponent(i.id)}`),
    })),
  ]
}

/** Everything the words typed lead to, and whether the server is still looking. */
export function useEntries(text: string): { entries: Entry[]; busy: boolean; error: unknown } {
  const go = useNavigate()
  const { lang } = usePrefs()
  const fixed = useFixed(text.trim())
  const q = useSettled(text.trim())
  const search = useQuery({
    queryKey: ['search', q],
    queryFn: ({ signal }) => unwrap(api.GET('/api/search', { params: { query: { q } }, signal })),
    enabled: q !== '',
    placeholderData: (old) => (q === '' ? undefined : old),
    retry: false,
  })
  const results = q !== '' && search.data ? found(search.data, lang, (to) => void go(to)) : []
  return { entries: [...results, ...fixed], busy: text.trim() !== '' && (search.isFetching || q !== text.trim()), error: search.error }
}
