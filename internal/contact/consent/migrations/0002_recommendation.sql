-- Personalised recommendation needs a way out (PIPL art. 24), not a consent of its own.
update consent_purposes set separate = 0 where id = 'recommendation' and builtin = 1;
