import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { LiveCodeCame } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { Chip, StatusDot } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Tooltip } from '@/shared/ui/kit'
import { Empty } from '@/shared/ui/states'
import { DateTime, None } from '@/shared/ui/values'
import { peoplePage } from '../queries'

const TONES = { sent: 'good', refused: 'bad', late: 'bad', unknown: 'warn', claimed: 'info' } as const

/** Who came by a code, newest first: whom they met, whether they were welcomed, and whether they stayed. */
export function WhoCame({ id }: { id: string }) {
  const { t } = useTranslation('livecodes')
  const { lang } = usePrefs()
  const list = useCursorList<LiveCodeCame>(peoplePage(id, lang))
  const columns: Column<LiveCodeCame>[] = [
    {
      key: 'name',
      title: t('came.name'),
      render: (c) => (
        <span className="kp-row">
          {c.contact ? <Link to={`/contacts/${c.contact}`}>{c.name || t('came.unnamed')}</Link> : <span className="kp-muted">{t('came.unseen')}</span>}
          {c.again && <Chip>{t('came.again')}</Chip>}
        </span>
      ),
    },
    { key: 'staff', title: t('came.staff'), render: (c) => c.staffName },
    { key: 'at', title: t('came.at'), render: (c) => <DateTime at={c.at} /> },
    {
      key: 'welcome',
      title: t('came.welcome'),
      render: (c) =>
        c.welcome ? (
          <Tooltip title={c.message}>
            <span tabIndex={c.message ? 0 : undefined}>
              <StatusDot tone={TONES[c.welcome]}>{t(`came.${c.welcome}`)}</StatusDot>
            </span>
          </Tooltip>
        ) : (
          <None />
        ),
    },
    {
      key: 'gone',
      title: t('came.gone'),
      render: (c) =>
        c.goneAt ? (
          <span>
            {t(`came.by.${c.goneBy ?? 'customer'}`)} <small className="kp-muted"><DateTime at={c.goneAt} dateOnly /></small>
          </span>
        ) : (
          t('came.friend')
        ),
    },
  ]
  return <DataTable label={t('view.people')} list={list} columns={columns} rowKey={(c) => `${c.at}${c.staff}${c.contact ?? ''}`} empty={<Empty title={t('stats.none')} desc={t('stats.noneDesc')} />} />
}
