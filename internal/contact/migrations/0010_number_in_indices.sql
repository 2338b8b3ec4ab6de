-- On SQLite every index holds the number of the contact; on PostgreSQL it must be
-- said, or each number that a condition finds is looked up in the table.
-- +postgres
drop index contacts_by_channel;
create index contacts_by_channel on contacts (shown, channel, created_at, owner_id) include (num);
drop index contacts_by_owner;
create index contacts_by_owner on contacts (owner_id, shown, channel, created_at) include (num) where owner_id <> '';
drop index contacts_by_key;
create index contacts_by_key on contacts (name_key) include (num) where shown = 1 and name_key <> '';
drop index contacts_by_initials;
create index contacts_by_initials on contacts (name_initials, name_pinyin) include (num) where shown = 1 and name_initials <> '';
-- +end
