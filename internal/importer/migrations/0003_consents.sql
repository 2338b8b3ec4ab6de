-- How many consents an import wrote down, and how many grants it left out
-- because the person had withdrawn.
alter table imports add column consents bigint not null default 0;
alter table imports add column consents_kept bigint not null default 0;
