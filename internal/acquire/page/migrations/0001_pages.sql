-- Landing pages. draft is what the editor has; what strangers see is the newest
-- line of page_versions, which is never changed: proofs of consent name it.
create table pages (
  id text primary key,
  slug text not null unique,
  title text not null,
  channel text not null,
  source text not null,
  medium text not null,
  campaign text not null,
  expires_at bigint not null,
  live bigint not null,
  version bigint not null,
  draft text not null,
  edited_at bigint not null,
  by_id text not null,
  by_name text not null,
  created_at bigint not null,
  changed_at bigint not null
);
create index pages_by_time on pages (created_at, id);
create index pages_changed on pages (changed_at, id);

create table page_versions (
  page text not null,
  version bigint not null,
  design text not null,
  by_name text not null,
  at bigint not null,
  primary key (page, version)
);

-- What became of a form that was sent, by the id of its fact: whether the person
-- gets the gift of the page now, or had it before.
create table page_submits (
  message text primary key,
  page text not null,
  contact bigint not null,
  gift text not null,
  at bigint not null
);
create index page_submits_by_contact on page_submits (contact);

-- One line for each person and gift, whichever page or code gave it.
create table page_gifts (
  gift text not null,
  contact bigint not null,
  message text not null,
  at bigint not null,
  primary key (gift, contact)
);
create index page_gifts_by_contact on page_gifts (contact);

-- What programs did at pages, by the day: it counts nowhere else.
create table page_noise (
  page text not null,
  day text not null,
  why text not null,
  n bigint not null,
  primary key (page, day, why)
);

create table page_files (
  id text primary key,
  name text not null,
  type text not null,
  size bigint not null,
  at bigint not null,
  by_name text not null
);
