-- Who owned a contact: a row for each change, under the number it was made for;
-- nth counts by contact. `how` is who changed it in which way, `why` what they
-- said. at 0: before changes were kept.
create table contact_owner_changes (
  contact bigint not null,
  nth bigint not null,
  owner_id text not null,
  how text not null,
  why text not null,
  by_id text not null,
  by_name text not null,
  at bigint not null,
  primary key (contact, nth)
-- +sqlite
) without rowid;
-- +end
-- +postgres
);
-- +end
insert into contact_owner_changes (contact, nth, owner_id, how, why, by_id, by_name, at)
  select num, 1, owner_id, 'before', '', '', '', 0 from contacts where owner_id <> '';

-- When the owner was last in touch, or got the contact; 0 without owner. For
-- owners from before this was kept it begins with what is known of them.
alter table contacts add column owner_touch_at bigint not null default 0;
update contacts set owner_touch_at = coalesce((select max(n.created_at) from contact_notes n where n.contact = contacts.num and n.author_id = contacts.owner_id), updated_at)
  where owner_id <> '';
create index contacts_by_owner_touch on contacts (owner_touch_at, owner_id, num) where shown = 1 and owner_touch_at > 0;
