import type { Endpoint } from './openapi.ts'

const ALERT = 'fingerprint label:texts'
const SPAN = 'from:time to:time'

/** What goes beyond Alertmanager's own interface, relative to `/api/belltower/v1`. Answers are bare JSON, errors `{error}`. */
export const ALERTING: readonly Endpoint[] = [
  {
    path: '/alerting/explain',
    methods: ['get'],
    summary: 'Why an alert does, or does not, reach anybody: by fingerprint, or by labels as name=value',
    parameters: ALERT,
    answer: 'bare',
  },
  { path: '/alerting/routes', methods: ['get'], summary: 'The routes as a tree', answer: 'bare' },
  {
    path: '/alerting/routes/test',
    methods: ['get'],
    summary: 'Where an alert leads',
    parameters: ALERT,
    answer: 'bare',
  },
  {
    path: '/alerting/notifications',
    methods: ['get'],
    summary: 'Notifications, newest first',
    parameters: `receiver integration groupKey q outcome ${SPAN} limit:number`,
    answer: 'bare',
  },
  { path: '/alerting/outgoing', methods: ['get'], summary: 'What has not arrived yet, and why', answer: 'bare' },
  {
    path: '/alerting/receivers/{name}/test',
    methods: ['post'],
    summary: 'Send a marked test message through a receiver',
    answer: 'bare',
  },
  {
    path: '/alerting/acknowledgements',
    methods: ['get'],
    summary: 'Groups that somebody has taken on',
    answer: 'bare',
  },
  {
    path: '/alerting/acknowledgements',
    methods: ['post'],
    summary: 'Take on a group',
    body: 'groupKey! by comment duration:duration',
    answer: 'bare',
  },
  {
    path: '/alerting/acknowledgements',
    methods: ['delete'],
    summary: 'Give a group back',
    parameters: 'groupKey!',
    answer: 'bare',
  },
  {
    path: '/ack',
    methods: ['get', 'post'],
    summary: 'The page behind the link of a notification',
    parameters: 'group! proof!',
    answer: 'html',
  },
  {
    path: '/alerting/on-call',
    methods: ['get'],
    summary: 'Who is on call, by schedule',
    parameters: 'at:time',
    answer: 'bare',
  },
  {
    path: '/alerting/on-call/schedules/{name}',
    methods: ['get'],
    summary: 'Who is on call in one schedule',
    parameters: 'at:time',
    answer: 'bare',
  },
  {
    path: '/alerting/on-call/schedules/{name}/shifts',
    methods: ['get'],
    summary: 'Shifts of a schedule; a week by default',
    parameters: SPAN,
    answer: 'bare',
  },
  { path: '/alerting/on-call/overrides', methods: ['get'], summary: 'Who takes over from whom', answer: 'bare' },
  {
    path: '/alerting/on-call/overrides',
    methods: ['post'],
    summary: 'Take over a schedule for a while',
    body: 'schedule! people!:texts from:time to!:time comment createdBy',
    answer: 'bare',
  },
  { path: '/alerting/on-call/overrides/{id}', methods: ['delete'], summary: 'Take an override back', answer: 'bare' },
  { path: '/alerting/escalations', methods: ['get'], summary: 'Escalations under way', answer: 'bare' },
  { path: '/alerting/flapping', methods: ['get'], summary: 'Alerts that are held because they flap', answer: 'bare' },
  { path: '/alerting/heartbeats', methods: ['get'], summary: 'Signs of life, sent and expected', answer: 'bare' },
  {
    path: '/alerting/heartbeats/{name}',
    methods: ['get', 'post'],
    summary: 'A sign of life',
    parameters: 'token',
    answer: 'bare',
  },
  {
    path: '/alerting/receipts/{where}/{proof}',
    methods: ['get', 'post'],
    summary: 'A provider tells what became of its messages',
    answer: 'bare',
  },
  {
    path: '/alerting/replies',
    methods: ['get'],
    summary: 'Where providers hand in replies',
    parameters: 'integration:texts',
    answer: 'bare',
  },
  {
    path: '/alerting/replies/{where}/{proof}',
    methods: ['get', 'post'],
    summary: 'A provider hands in a reply',
    answer: 'plain',
  },
]
