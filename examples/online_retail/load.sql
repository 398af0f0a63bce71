-- Standard input is the CSV of the data set, standard output what nurture.inbox takes by COPY: every line becomes a
-- purchase (contact, type, at, received_at, props), oldest first. Lines without a customer are handed over as
-- they are: the tick sets them aside in nurture.rejected_event with the reason.
SET client_min_messages = warning;
CREATE TEMPORARY TABLE line (
    invoice text, product text, description text, quantity int, at timestamp, price numeric, customer numeric, country text
);
\copy line FROM pstdin WITH (FORMAT csv, HEADER)
\copy (SELECT trim_scale(customer), 'purchase', at AT TIME ZONE 'UTC', at AT TIME ZONE 'UTC', jsonb_build_object('invoice', invoice, 'product', product, 'quantity', quantity, 'price', price, 'amount', quantity * price, 'country', country) FROM line ORDER BY at, invoice) TO pstdout
