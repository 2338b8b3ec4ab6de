import { Download, Printer } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { ConsentPurpose, ConsentRow } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { StatusDot } from '@/shared/ui/chips'
import { Drawer } from '@/shared/ui/Drawer'
import { Button } from '@/shared/ui/kit'
import { Empty, ErrorState, Loading } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { historyPage } from '../queries'
import { usePurposeName } from '../words'
import css from './ConsentPanel.module.css'

interface Props {
  open: boolean
  onClose: () => void
  contact: string
  purposes: readonly ConsentPurpose[] | undefined
}

/** Everything the person ever said, with the proof of each word. */
export function ConsentHistory({ open, onClose, contact, purposes }: Props) {
  const { t } = useTranslation('consent')
  const { lang } = usePrefs()
  const proof = `/api/contacts/${contact}/consents/proof`
  return (
    <Drawer
      open={open}
      onClose={onClose}
      title={t('history.title')}
      extra={
        useCan('contact.export') && (
          <span className="kp-row">
            <Button size="small" icon={<Printer size={14} aria-hidden />} href={`${proof}?format=html&lang=${lang}`} target="_blank" rel="noreferrer">
              {t('history.print')}
            </Button>
            <Button size="small" icon={<Download size={14} aria-hidden />} href={proof}>
              {t('history.download')}
            </Button>
          </span>
        )
      }
    >
      <Rows contact={contact} purposes={purposes} />
    </Drawer>
  )
}

function Rows({ contact, purposes }: Pick<Props, 'contact' | 'purposes'>) {
  const { t } = useTranslation(['consent', 'common'])
  const name = usePurposeName(purposes)
  const list = useCursorList(historyPage(contact))
  if (list.error && list.items.length === 0) return <ErrorState error={list.error} onRetry={list.refetch} />
  if (list.loading && list.items.length === 0) return <Loading height={320} />
  if (list.items.length === 0) return <Empty title={t('history.empty')} desc={t('history.emptyDesc')} />
  return (
    <>
      <ol className={css.rows}>
        {list.items.map((r) => (
          <li key={r.id} data-source={r.source}>
            <span className="kp-row wrap">
              <StateOf row={r} />
              <b>{name(r.purpose)}</b>
              <span>{r.channel !== 'all' ? t(`channel.${r.channel as 'sms'}`) : ''}</span>
              <span className="kp-grow" />
              <DateTime at={r.at} seconds />
            </span>
            <ProofText row={r} />
            <code title={t('history.hash')}>
              #{r.seq} · {r.hash}
            </code>
          </li>
        ))}
      </ol>
      {list.hasMore && (
        <Button loading={list.loadingMore} onClick={list.loadMore}>
          {t('common:table.more')}
        </Button>
      )}
    </>
  )
}

/** What a row says, by mark and word. */
export function StateOf({ row }: { row: ConsentRow }) {
  const { t } = useTranslation('consent')
  const tone = row.state === 'granted' ? 'good' : row.state === 'withdrawn' ? 'bad' : 'neutral'
  return <StatusDot tone={tone}>{row.state === 'voided' ? t('state.voided', { row: row.voids ?? 0 }) : t(`state.${row.state}`)}</StatusDot>
}

/** From where a row came and what proves it. */
export function ProofText({ row }: { row: ConsentRow }) {
  const { t } = useTranslation('consent')
  const p = row.proof
  const parts = [
    codeText('consent', 'source', row.source),
    p.staffName,
    row.wording ? t('history.wording', { version: row.wording }) : undefined,
    p.note && `“${p.note}”`,
    p.file,
    p.ip && `IP ${p.ip}`,
    p.link && t('history.link', { link: p.link }),
    p.messageId && t('history.message', { id: p.messageId }),
    p.importId && t('history.import', { id: p.importId }),
    p.userAgent,
  ]
  return <p className="kp-muted">{parts.filter(Boolean).join(' · ')}</p>
}
