-- Uploads that no import used are found by this when they are old.
create index imports_upload on imports (upload_id);
