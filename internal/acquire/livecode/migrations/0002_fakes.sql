-- 1: by somebody who was judged to be no person; such adds count nowhere.
alter table livecode_adds add column fake bigint not null default 0;
