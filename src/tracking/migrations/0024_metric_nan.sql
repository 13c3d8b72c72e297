-- Which histories hold NaN: only they need more than the order of metric_points' key when they are read.
CREATE INDEX metric_points_nan ON metric_points (series_id) WHERE is_nan = 1;
