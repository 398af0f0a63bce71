-- A shop's customers by what they spend, how often and how lately. A purchase is an invoice line; `amount` is what was
-- paid for it, negative when it was given back.

INSERT INTO nurture.rule (name, definition, description) VALUES
('spends', '+0.01 per amount on purchase topic value half-life 90 days', 'a hundred are worth a point, half of it after a season'),
('orders', '+5 on purchase where amount > 0 topic loyalty half-life 60 days at most 1 per day', 'a day with an order'),
('sends back', '-3 on purchase where amount < 0 at most 3 per month', NULL);

INSERT INTO nurture.segment (name, condition, description) VALUES
('customer', 'did purchase where amount > 0', NULL),
('big spender', 'sum(amount of purchase within 90 days) >= 5000', 'on balance, in the last 90 days'),
('regular', 'score(loyalty) >= 15', NULL),
('lapsed', '(did purchase where amount > 0) and not (did purchase where amount > 0 within 90 days)', 'no order for 90 days'),
('sends much back', 'count(purchase where amount < 0 within 180 days) >= 10', NULL),
('dear and lost', 'in segment ''lapsed'' and sum(amount of purchase) >= 5000', 'on whom a phone call would be well spent');

INSERT INTO nurture.workflow (name, definition, description) VALUES
('win back', $$
    on entering segment 'lapsed'
    re-enter after 90 days
    exit on purchase where amount > 0
    do 'mail' with (template = 'we miss you')
    wait 14 days
    if in segment 'dear and lost' then
        do 'task' with (team = 'sales', text = 'call this customer')
    else
        do 'mail' with (template = 'ten percent off')
    end
$$, 'who has not ordered for 90 days is written to, the dear ones are called');
