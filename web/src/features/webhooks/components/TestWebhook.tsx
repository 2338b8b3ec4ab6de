import { useMutation } from '@tanstack/react-query'
import { Send } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { WebhookTried } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useToast } from '@/shared/ui/feedback'
import { Alert, Button } from '@/shared/ui/kit'
import { testWebhook } from '../queries'

/** Posts an empty delivery now: the button, and what became of it. */
export function useTest(id: string) {
  const { t } = useTranslation('webhooks')
  const toast = useToast()
  const test = useMutation({ mutationFn: () => testWebhook(id), onError: toast.failed })
  return {
    button: (
      <Button icon={<Send size={15} aria-hidden />} loading={test.isPending} onClick={() => test.mutate()}>
        {t('test.send')}
      </Button>
    ),
    result: test.data && <Tried tried={test.data} onClose={test.reset} />,
  }
}

function Tried({ tried, onClose }: { tried: WebhookTried; onClose: () => void }) {
  const { t } = useTranslation('webhooks')
  const { lang } = usePrefs()
  const ms = formatInt(tried.ms, lang)
  return (
    <Alert
      type={tried.ok ? 'success' : 'error'}
      showIcon
      role="status"
      closable={{ onClose, 'aria-label': t('test.close') }}
      title={tried.ok ? t('test.ok', { status: tried.status, ms }) : tried.status ? t('test.failedStatus', { why: tried.message, status: tried.status, ms }) : t('test.failed', { why: tried.message, ms })}
    />
  )
}
