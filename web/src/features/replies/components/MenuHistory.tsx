import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Undo2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { MenuVersion } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { Empty, QueryState } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { subs } from '../menu'
import { MENUS_KEY, restoreMenu, versionsQuery } from '../queries'
import css from './replies.module.css'

/** What was published, and the way back to it. */
export function MenuHistory({ account, rev, current, onClose }: { account: string; rev: number; current: number | undefined; onClose: () => void }) {
  const { t } = useTranslation('replies')
  const client = useQueryClient()
  const toast = useToast()
  const mayWrite = useCan('acquire.write')
  const query = useQuery(versionsQuery(account))
  const back = useMutation({
    mutationFn: (n: number) => restoreMenu(account, n, rev),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: MENUS_KEY })
      toast.done(t('menu.restored'))
      onClose()
    },
    onError: (error) => toast.failed(error),
  })
  return (
    <Drawer open onClose={onClose} title={t('menu.history')} width={560}>
      <QueryState query={query}>
        {(list) =>
          list.items.length === 0 ? (
            <Empty title={t('menu.noHistory')} desc={t('menu.noHistoryDesc')} />
          ) : (
            <ul className={css.versions}>
              {list.items.map((v) => (
                <li key={v.n}>
                  <div className="kp-row">
                    <b>{t('menu.version', { n: v.n })}</b>
                    {v.n === current && <small className={css.current}>{t('menu.current')}</small>}
                    <small className="kp-muted">
                      {v.by} · <DateTime at={v.at} />
                    </small>
                    <span className="kp-grow" />
                    {mayWrite && (
                      <Button size="small" icon={<Undo2 size={14} aria-hidden />} loading={back.isPending && back.variables === v.n} onClick={() => back.mutate(v.n)}>
                        {t('menu.restore')}
                      </Button>
                    )}
                  </div>
                  <Shape version={v} />
                </li>
              ))}
            </ul>
          )
        }
      </QueryState>
    </Drawer>
  )
}

function Shape({ version }: { version: MenuVersion }) {
  const { t } = useTranslation('replies')
  const list = version.buttons ?? []
  if (list.length === 0) return <p className="kp-muted">{t('menu.emptyVersion')}</p>
  return (
    <div className={css.shape}>
      {list.map((b, i) => (
        <div key={i}>
          <b>{b.name}</b>
          {subs(b).map((s, k) => (
            <small key={k}>{s.name}</small>
          ))}
        </div>
      ))}
    </div>
  )
}
