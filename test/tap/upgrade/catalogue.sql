-- Everything that the catalogue says of the extension, one line each: two databases with the same lines have the same extension.
-- (pg_attver is kept by some servers for themselves: it counts changes.)
SET search_path = pg_catalog;
SET timezone = 'UTC';
CREATE TEMP VIEW member AS
SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'nurture'
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e';
CREATE TEMP VIEW relation AS
SELECT c.* FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid;
CREATE FUNCTION pg_temp.privileges(acl aclitem[], kind "char", owner oid) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(format('%s=%s%s', CASE a.grantee WHEN 0 THEN 'PUBLIC' WHEN owner THEN 'owner' ELSE a.grantee::regrole::text END, a.privilege_type, CASE WHEN a.is_grantable AND a.grantee <> owner THEN '*' END), ',' ORDER BY a.grantee <> owner, a.grantee, a.privilege_type)
FROM aclexplode(coalesce(acl, acldefault(kind, owner))) a
$$;
SELECT 'member ' || pg_describe_object(m.classid, m.objid, 0) || coalesce(': ' || obj_description(m.objid, m.classid::regclass::text), '') FROM member m
UNION ALL
SELECT format('relation %s: %s', c.oid::regclass, concat_ws('; ', c.relkind, c.relpersistence, c.reloptions, c.relrowsecurity, c.relreplident, pg_temp.privileges(c.relacl, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)))
FROM relation c
UNION ALL
SELECT format('column %s.%I: %s', c.oid::regclass, a.attname, concat_ws('; ', format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation, a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, a.attstorage, a.attcompression, a.attstattarget, (SELECT string_agg(o, ',') FROM unnest(a.attoptions) o WHERE o NOT LIKE 'pg_attver=%'), a.attacl, col_description(c.oid, a.attnum)))
FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
UNION ALL
SELECT format('attribute %s.%I: %s', t.oid::regtype, a.attname, concat_ws('; ', row_number() OVER (PARTITION BY t.oid ORDER BY a.attnum), format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation))
FROM pg_type t JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT format('view %s: %s', c.oid::regclass, pg_get_viewdef(c.oid)) FROM relation c WHERE c.relkind IN ('v', 'm')
UNION ALL
SELECT format('constraint %s on %s: %s', o.conname, o.conrelid::regclass, pg_get_constraintdef(o.oid)) || coalesce(': ' || obj_description(o.oid, 'pg_constraint'), '')
FROM pg_constraint o JOIN relation c ON c.oid = o.conrelid
UNION ALL
SELECT format('index %s; %s', pg_get_indexdef(x.indexrelid), i.reloptions) || coalesce(': ' || obj_description(x.indexrelid, 'pg_class'), '')
FROM pg_index x JOIN relation c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
UNION ALL
SELECT format('trigger %s; %s', pg_get_triggerdef(t.oid), t.tgenabled) FROM pg_trigger t JOIN relation c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT format('rule %s', pg_get_ruledef(r.oid)) FROM pg_rewrite r JOIN relation c ON c.oid = r.ev_class WHERE c.relkind NOT IN ('v', 'm')
UNION ALL
SELECT format('policy %s on %s: %s', p.polname, p.polrelid::regclass, concat_ws('; ', p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)))
FROM pg_policy p JOIN relation c ON c.oid = p.polrelid
UNION ALL
SELECT format('sequence %s: %s', c.oid::regclass, concat_ws('; ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle, d.refobjid::regclass))
FROM relation c JOIN pg_sequence s ON s.seqrelid = c.oid LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
UNION ALL
SELECT format('routine %s: %s; %s', p.oid::regprocedure, pg_temp.privileges(p.proacl, 'f', p.proowner),
              CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid)
                   ELSE concat_ws('; ', pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.provolatile, p.proparallel, to_jsonb(a) - 'aggfnoid' - 'aggsortop' - 'aggtranstype' - 'aggmtranstype', a.aggtranstype::regtype, a.aggmtranstype::regtype) END)
FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
UNION ALL
SELECT format('type %s: %s', t.oid::regtype, concat_ws('; ', t.typtype, t.typlen, t.typbyval, t.typcategory, t.typispreferred, t.typdelim, t.typalign, t.typstorage, t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typanalyze, t.typsubscript, t.typcollation::regcollation, t.typdefault, t.typbasetype::regtype, t.typnotnull))
FROM pg_type t JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
UNION ALL
SELECT format('label %s of %s', e.enumlabel, e.enumtypid::regtype) FROM pg_enum e JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = e.enumtypid
UNION ALL
SELECT format('cast %s as %s: %s', c.castsource::regtype, c.casttarget::regtype, concat_ws('; ', c.castfunc::regprocedure, c.castcontext, c.castmethod))
FROM pg_cast c JOIN member m ON m.classid = 'pg_cast'::regclass AND m.objid = c.oid
UNION ALL
SELECT format('operator %s: %s', o.oid::regoperator, concat_ws('; ', o.oprresult::regtype, o.oprcode, o.oprcom::regoperator, o.oprnegate::regoperator, o.oprrest, o.oprjoin, o.oprcanhash, o.oprcanmerge))
FROM pg_operator o JOIN member m ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
UNION ALL
SELECT format('operator class %s: %s', o.opcname, concat_ws('; ', o.opcmethod, f.opfname, o.opcintype::regtype, o.opcdefault, o.opckeytype::regtype,
              (SELECT string_agg(concat_ws(' ', p.amopstrategy, p.amopopr::regoperator), ', ' ORDER BY p.amopstrategy) FROM pg_amop p WHERE p.amopfamily = f.oid),
              (SELECT string_agg(concat_ws(' ', p.amprocnum, p.amproc), ', ' ORDER BY p.amprocnum) FROM pg_amproc p WHERE p.amprocfamily = f.oid)))
FROM pg_opclass o JOIN pg_opfamily f ON f.oid = o.opcfamily JOIN member m ON m.classid = 'pg_opclass'::regclass AND m.objid = o.oid
UNION ALL
SELECT format('initially on %s: %s', pg_describe_object(i.classoid, i.objoid, i.objsubid), pg_temp.privileges(i.initprivs, 'r', coalesce(c.relowner, p.proowner, n.nspowner)))
FROM pg_init_privs i JOIN member m ON m.classid = i.classoid AND m.objid = i.objoid
LEFT JOIN pg_class c ON i.classoid = 'pg_class'::regclass AND c.oid = i.objoid LEFT JOIN pg_proc p ON i.classoid = 'pg_proc'::regclass AND p.oid = i.objoid
LEFT JOIN pg_namespace n ON i.classoid = 'pg_namespace'::regclass AND n.oid = i.objoid
UNION ALL
SELECT format('dumped %s: %s', x.oid::regclass, x.condition) FROM pg_extension e, unnest(e.extconfig, e.extcondition) x (oid, condition) WHERE e.extname = 'nurture'
UNION ALL
SELECT format('version %s of %s, relocatable %s', e.extversion, e.extnamespace::regnamespace, e.extrelocatable) FROM pg_extension e WHERE e.extname = 'nurture'
ORDER BY 1;
