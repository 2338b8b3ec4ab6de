-- The company, in one row that is always there. Whoever changes who may do what
-- updates it first, so that such changes queue on both engines.
create table team_settings (
  id bigint not null primary key,
  company text not null,
  timezone text not null,
  currency text not null,
  language text not null,
  updated_at bigint not null
);
insert into team_settings (id, company, timezone, currency, language, updated_at) values (1, '', 'Asia/Shanghai', 'CNY', 'zh-CN', 0);

-- Deleted users stay as a row, so that what they did keeps a name; their
-- email_key is their id then, which frees the address.
create table team_users (
  id text not null primary key,
  name text not null,
  email text not null,
  email_key text not null unique,
  password_hash text not null,
  role text not null,
  state text not null,
  language text not null,
  created_at bigint not null,
  updated_at bigint not null,
  last_seen_at bigint not null
);
create index team_users_role on team_users (role, state);

create table team_roles (
  id text not null primary key,
  name text not null,
  name_key text not null unique,
  permissions text not null,
  created_at bigint not null,
  updated_at bigint not null
);

create table team_sessions (
  id text not null primary key,
  hash text not null unique,
  user_id text not null references team_users (id),
  created_at bigint not null,
  last_seen_at bigint not null,
  ip text not null,
  user_agent text not null
);
create index team_sessions_user on team_sessions (user_id, last_seen_at);
create index team_sessions_seen on team_sessions (last_seen_at);

create table team_tokens (
  id text not null primary key,
  name text not null,
  role text not null,
  hash text not null unique,
  prefix text not null,
  created_by_id text not null,
  created_by_name text not null,
  created_at bigint not null,
  last_used_at bigint not null,
  expires_at bigint not null,
  revoked_at bigint not null
);

create table team_write_keys (
  id text not null primary key,
  name text not null,
  source text not null,
  hash text not null unique,
  prefix text not null,
  created_by_id text not null,
  created_by_name text not null,
  created_at bigint not null,
  last_used_at bigint not null,
  revoked_at bigint not null
);

-- Failed attempts to sign in, by hashed e-mail and by address.
create table team_throttle (
  key text not null primary key,
  failures bigint not null,
  last_at bigint not null,
  blocked_until bigint not null
);
create index team_throttle_last on team_throttle (last_at);
