-- Answers to requests that carried an Idempotency-Key, kept for a day.
create table http_idempotency (
  principal text not null,
  key text not null,
  request_hash text not null,
  created_at bigint not null,
  status bigint not null, -- 0 while the request is being worked on
  content_type text not null,
  location text not null,
  body text not null,
  primary key (principal, key)
);
create index http_idempotency_age on http_idempotency (created_at);
