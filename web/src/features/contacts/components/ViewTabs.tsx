import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Check, ChevronDown, Copy, Ellipsis, Link2, Pencil, Pin, PinOff, Save, Star, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ContactView, ViewPrefs } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { Dialog } from '@/shared/ui/Drawer'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Button, Checkbox, Dropdown, Input } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { createView, deleteView, setViewPrefs, updateView, viewCountsQuery, VIEWS_KEY } from '../queries'
import { isChanged } from '../views'
import css from './ViewTabs.module.css'

interface Props {
  views: ContactView[]
  prefs: ViewPrefs
  /** The view the address names. */
  at: ContactView | undefined
  now: ContactView['definition']
  onOpen: (view: ContactView) => void
}

/** The views as tabs with their numbers, and what can be done with the one that is open. */
export function ViewTabs({ views, prefs, at, now, onOpen }: Props) {
  const { t } = useTranslation('contacts')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const [saving, setSaving] = useState<'new' | 'copy' | 'rename' | undefined>()
  const tabs = prefs.tabs.map((id) => views.find((v) => v.id === id)).filter((v) => v !== undefined)
  if (at && !tabs.includes(at)) tabs.push(at)
  const counts = useQuery(viewCountsQuery(tabs.map((v) => v.id)))
  const changed = at !== undefined && isChanged(at, now)
  const refresh = () => client.invalidateQueries({ queryKey: VIEWS_KEY })
  const keep = async (next: Partial<ViewPrefs>) => {
    try {
      await setViewPrefs({ ...prefs, ...next })
    } catch (error) {
      toast.failed(error)
    }
    await refresh()
  }
  const save = async () => {
    if (!at) return
    try {
      await updateView(at.id, { name: at.name, shared: at.shared, definition: now })
      toast.done(t('view.saved'))
    } catch (error) {
      toast.failed(error)
    }
    await refresh()
  }
  const pinned = at !== undefined && prefs.tabs.includes(at.id)
  const share = async () => {
    try {
      await navigator.clipboard.writeText(location.href)
      toast.done(t('view.linkCopied'))
    } catch (error) {
      toast.failed(error)
    }
  }
  const menu = [
    { key: 'link', icon: <Link2 size={14} aria-hidden />, label: t('view.link'), onClick: () => void share() },
    ...(at && !at.builtIn ? [{ key: 'copy', icon: <Copy size={14} aria-hidden />, label: t('view.copy'), onClick: () => setSaving('copy') }] : []),
    ...(at
      ? [
          {
            key: 'pin',
            icon: pinned ? <PinOff size={14} aria-hidden /> : <Pin size={14} aria-hidden />,
            label: pinned ? t('view.unpin') : t('view.pin'),
            onClick: () => void keep({ tabs: pinned ? prefs.tabs.filter((id) => id !== at.id) : [...prefs.tabs, at.id] }),
          },
          {
            key: 'first',
            icon: <Star size={14} aria-hidden />,
            label: prefs.default === at.id ? t('view.notFirst') : t('view.first'),
            onClick: () => void keep({ default: prefs.default === at.id ? '' : at.id }),
          },
        ]
      : []),
    ...(at?.editable
      ? [
          { key: 'rename', icon: <Pencil size={14} aria-hidden />, label: t('view.rename'), onClick: () => setSaving('rename') },
          {
            key: 'delete',
            danger: true,
            icon: <Trash2 size={14} aria-hidden />,
            label: t('view.delete'),
            onClick: () =>
              void confirm({ title: t('view.deleteTitle', { name: at.name }), body: at.shared ? t('view.deleteShared') : t('view.deleteOwn'), ok: t('view.delete'), danger: true, run: () => deleteView(at.id) }).then(async (done) => {
                if (!done) return
                await refresh()
                const all = views.find((v) => v.id === 'all')
                if (all) onOpen(all)
              }),
          },
        ]
      : []),
  ]
  const others = views.filter((v) => !tabs.includes(v))
  return (
    <nav className={css.bar} aria-label={t('view.label')}>
      {tabs.map((v) => (
        <button key={v.id} type="button" className={css.tab} aria-current={v.id === at?.id ? 'page' : undefined} title={v.sentence || undefined} onClick={() => onOpen(v)}>
          {v.name}
          {counts.data?.counts[v.id] !== undefined && <small className="kp-num">{formatInt(counts.data.counts[v.id] ?? 0, lang)}</small>}
        </button>
      ))}
      {others.length > 0 && (
        <Dropdown trigger={['click']} menu={{ items: others.map((v) => ({ key: v.id, label: v.name, onClick: () => onOpen(v) })) }}>
          <Button type="text" size="small">
            {t('view.more')} <ChevronDown size={14} aria-hidden />
          </Button>
        </Dropdown>
      )}
      <span className={css.tools}>
        {changed && <span className="kp-muted">{t('view.changed')}</span>}
        {changed && at?.editable && (
          <Button size="small" icon={<Check size={14} aria-hidden />} onClick={() => void save()}>
            {t('view.save')}
          </Button>
        )}
        {(changed || !at) && (
          <Button size="small" type="text" icon={<Save size={14} aria-hidden />} onClick={() => setSaving('new')}>
            {t('view.saveAs')}
          </Button>
        )}
        <Dropdown trigger={['click']} menu={{ items: menu }}>
          <Button size="small" type="text" aria-label={t('view.menu')} icon={<Ellipsis size={16} aria-hidden />} />
        </Dropdown>
      </span>
      {saving === 'rename' && at && (
        <SaveView
          title={t('view.rename')}
          name={at.name}
          shared={at.shared}
          save={(name, shared) => updateView(at.id, { name, shared, definition: at.definition })}
          onClose={() => setSaving(undefined)}
          onDone={async () => {
            setSaving(undefined)
            await refresh()
          }}
        />
      )}
      {(saving === 'new' || saving === 'copy') && (
        <SaveView
          title={t('view.saveTitle')}
          name={saving === 'copy' && at ? t('view.copyOf', { name: at.name }) : ''}
          save={(name, shared) => createView({ name, shared, definition: saving === 'copy' && at ? at.definition : now })}
          onClose={() => setSaving(undefined)}
          onDone={async (view) => {
            setSaving(undefined)
            await keep({ tabs: [...prefs.tabs, view.id] })
            onOpen(view)
          }}
        />
      )}
    </nav>
  )
}

interface SaveViewProps {
  title: string
  name: string
  shared?: boolean
  save: (name: string, shared: boolean) => Promise<ContactView>
  onClose: () => void
  onDone: (v: ContactView) => Promise<void>
}

/** Asks how a view is called and whether everybody has it. */
function SaveView({ title, name: first, shared: wasShared = false, save: keep, onClose, onDone }: SaveViewProps) {
  const { t } = useTranslation(['contacts', 'common'])
  const say = useErrorText()
  const mayShare = useCan('view.share')
  const [name, setName] = useState(first)
  const [shared, setShared] = useState(wasShared)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const save = async () => {
    setBusy(true)
    try {
      await onDone(await keep(name, shared))
    } catch (e) {
      setError(e)
      setBusy(false)
    }
  }
  return (
    <Dialog open onClose={onClose} title={title}>
      <form
        className={css.form}
        onSubmit={(e) => {
          e.preventDefault()
          void save()
        }}
      >
        <label>
          <span>{t('view.name')}</span>
          <Input value={name} maxLength={60} onChange={(e) => setName(e.target.value)} />
        </label>
        {mayShare && (
          <Checkbox checked={shared} onChange={(e) => setShared(e.target.checked)}>
            {t('view.share')}
          </Checkbox>
        )}
        {error !== undefined && (
          <p className={css.bad} role="alert">
            {say(error).detail}
          </p>
        )}
        <div className={css.actions}>
          <Button onClick={onClose}>{t('common:action.cancel')}</Button>
          <Button type="primary" htmlType="submit" loading={busy} disabled={name.trim() === ''}>
            {t('view.save')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
