import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Download, History, Rocket } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/shared/api/errors'
import type { Menu, MenuButton, ReplyAccount } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Alert, Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { QueryState, useErrorText } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { buttonAt, pathOf, same, type Place } from '../menu'
import { MENUS_KEY, menuQuery, publishMenu, readMenu, saveMenu } from '../queries'
import { ButtonForm } from './ButtonForm'
import { MenuHistory } from './MenuHistory'
import { MenuPhone } from './MenuPhone'
import { MenuTaps } from './MenuTaps'
import css from './replies.module.css'

/** The menu at the bottom of an official account: the draft, what is published, and what was. */
export function MenuEditor({ account }: { account: ReplyAccount }) {
  const { lang } = usePrefs()
  const query = useQuery(menuQuery(account.id, lang))
  return <QueryState query={query} height={520}>{(m) => <Edit account={account} menu={m} />}</QueryState>
}

function Edit({ account, menu }: { account: ReplyAccount; menu: Menu }) {
  const { t } = useTranslation(['replies', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const say = useErrorText()
  const mayWrite = useCan('acquire.write')
  const [list, setList] = useState<MenuButton[]>(menu.buttons ?? [])
  const [at, setAt] = useState<Place | undefined>((menu.buttons ?? []).length > 0 ? { top: 0 } : undefined)
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState<'save' | 'publish' | 'read'>()
  const [history, setHistory] = useState(false)
  const [rev, setRev] = useState(menu.rev)
  if (menu.rev !== rev) {
    // another draft: saved just now, restored or read
    setRev(menu.rev)
    setList(menu.buttons ?? [])
    if (!at || !buttonAt(menu.buttons ?? [], at)) setAt((menu.buttons ?? []).length > 0 ? { top: 0 } : undefined)
  }
  const dirty = !same(list, menu.buttons ?? [])
  useEffect(() => {
    if (!dirty) return
    const warn = (e: BeforeUnloadEvent) => e.preventDefault()
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [dirty])
  const fields = failure instanceof ApiError ? failure.fields : []
  const faultOf = (path: string) => fields.find((f) => f.path.replace(/^body\.?/, '').replace(/\.(\d+)(?=\.|$)/g, '[$1]') === path)?.detail
  const faulty = (p: Place) => fields.some((f) => f.path.startsWith(`${pathOf(p)}.`))
  const run = async (what: 'save' | 'publish' | 'read', work: () => Promise<unknown>, done: string) => {
    setBusy(what)
    setFailure(undefined)
    try {
      await work()
      toast.done(done)
    } catch (error) {
      setFailure(error)
    } finally {
      setBusy(undefined)
      if (what !== 'save') await client.invalidateQueries({ queryKey: MENUS_KEY })
    }
  }
  const save = () =>
    run(
      'save',
      async () => {
        await saveMenu(account.id, list, menu.rev)
        await client.invalidateQueries({ queryKey: MENUS_KEY })
      },
      t('menu.saved'),
    )
  const publish = () =>
    void confirm({ title: list.length > 0 ? t('menu.publishTitle', { account: account.name }) : t('menu.takeAway', { account: account.name }), body: t('menu.publishBody'), ok: t('menu.publish'), run: () => Promise.resolve() }).then((yes) => {
      if (yes)
        void run(
          'publish',
          async () => {
            const rev = dirty ? (await saveMenu(account.id, list, menu.rev)).rev : menu.rev
            await publishMenu(account.id, rev)
          },
          t('menu.published'),
        )
    })
  const read = () =>
    void confirm({ title: t('menu.readTitle'), body: t('menu.readBody'), ok: t('menu.read'), run: () => Promise.resolve() }).then((yes) => {
      if (yes) void run('read', () => readMenu(account.id, menu.rev), t('menu.readDone'))
    })
  const button = at && buttonAt(list, at)
  return (
    <>
      <Panel flush>
        <div className={css.bar}>
          <State menu={menu} dirty={dirty} />
          <span className="kp-grow" />
          <Button icon={<History size={15} aria-hidden />} onClick={() => setHistory(true)}>
            {t('menu.history')}
          </Button>
          {mayWrite && (
            <>
              <Button icon={<Download size={15} aria-hidden />} loading={busy === 'read'} onClick={read}>
                {t('menu.read')}
              </Button>
              <Button disabled={!dirty} loading={busy === 'save'} onClick={() => void save()}>
                {t('menu.save')}
              </Button>
              <Button type="primary" icon={<Rocket size={15} aria-hidden />} disabled={!dirty && menu.same} loading={busy === 'publish'} onClick={publish}>
                {t('menu.publish')}
              </Button>
            </>
          )}
        </div>
      </Panel>
      {failure !== undefined && <Alert type="error" showIcon role="alert" style={{ margin: '12px 0 0' }} title={fields.length > 0 ? t('menu.faults', { count: fields.length }) : say(failure).detail} />}
      {failure === undefined && menu.fault && !menu.same && (
        <Alert type="warning" showIcon style={{ margin: '12px 0 0' }} title={t('menu.refused', { words: menu.message ?? '' })} description={menu.faultAt && <DateTime at={menu.faultAt} />} />
      )}
      <div className={css.menu}>
        <MenuPhone title={account.name} list={list} at={at} onPick={setAt} faulty={faulty} onChange={mayWrite ? (next, place) => { setList(next); setAt(place) } : undefined} />
        <Panel title={button ? t('menu.button', { name: button.name || t('menu.unnamed') }) : t('menu.none')}>
          {at && button ? (
            <fieldset className={css.plain} disabled={!mayWrite}>
              <ButtonForm key={pathOf(at)} account={account.id} list={list} at={at} onChange={(next, place) => { setList(next); setAt(place) }} faultOf={faultOf} />
            </fieldset>
          ) : (
            <p className="kp-muted">{mayWrite ? t('menu.noneHint') : t('menu.noneYet')}</p>
          )}
        </Panel>
      </div>
      <MenuTaps account={account.id} />
      {history && <MenuHistory account={account.id} rev={menu.rev} current={menu.published?.n} onClose={() => setHistory(false)} />}
    </>
  )
}

/** Whether customers see what is on the screen. */
function State({ menu, dirty }: { menu: Menu; dirty: boolean }) {
  const { t } = useTranslation('replies')
  const p = menu.published
  return (
    <span role="status">
      <b>{dirty ? t('menu.stateDirty') : menu.same ? (p ? t('menu.stateSame') : t('menu.stateNone')) : t('menu.stateDraft')}</b>
      {p && (
        <small className="kp-muted">
          {' '}
          {t('menu.statePublished', { n: p.n, by: p.by })} <DateTime at={p.at} />
        </small>
      )}
    </span>
  )
}
