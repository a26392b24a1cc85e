//! A small line of how something went, as SVG: attributes only, since the page's policy forbids inline styles.

use std::fmt::Write as _;

use maud::{Markup, html};

/// Units of the drawing: one for each minute, and a height.
const WIDTH: usize = 60;
const HEIGHT: f64 = 20.0;

/// The last [`WIDTH`] of `values`, oldest first, from 0 to `top`; the newest is at the right edge, `None` is a gap. `label` says it in words.
pub(super) fn sparkline(values: &[Option<f64>], top: f64, label: &str) -> Markup {
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(label) {
            @for stretch in stretches(values, top) {
                path class="area" d=(area(&stretch)) {}
                path class="line" d=(line(&stretch)) vector-effect="non-scaling-stroke" {}
            }
        }
    }
}

/// The minutes between two gaps: each the left edge of its place, and its height.
fn stretches(values: &[Option<f64>], top: f64) -> Vec<Vec<(usize, f64)>> {
    let shown = values.get(values.len().saturating_sub(WIDTH)..).unwrap_or_default();
    let height_of = |value: &Option<f64>| Some(height(value.filter(|value| value.is_finite())?, top));
    let places: Vec<(usize, Option<f64>)> =
        (WIDTH - shown.len()..).zip(shown.iter().map(height_of)).collect();
    let between_gaps = places.split(|(_, height)| height.is_none());
    let minutes = between_gaps
        .map(|stretch| stretch.iter().filter_map(|(left, height)| Some((*left, (*height)?))).collect());
    minutes.filter(|stretch: &Vec<_>| !stretch.is_empty()).collect()
}

fn height(value: f64, top: f64) -> f64 {
    let share = if top > 0.0 { (value / top).clamp(0.0, 1.0) } else { 0.0 };
    // The line's own width stays within the drawing.
    HEIGHT - 1.0 - share * (HEIGHT - 2.0)
}

/// A step for each minute: that is what a mean is, and one alone is seen as well.
fn line(minutes: &[(usize, f64)]) -> String {
    let mut path = String::new();
    for (index, (left, height)) in minutes.iter().enumerate() {
        let right = left + 1;
        // Writing to a string cannot fail.
        let _written = match index {
            0 => write!(path, "M{left} {height:.1}H{right}"),
            _ => write!(path, "V{height:.1}H{right}"),
        };
    }
    path
}

fn area(minutes: &[(usize, f64)]) -> String {
    let left = minutes.first().map_or(0, |(left, _)| *left);
    format!("{}V{HEIGHT}H{left}Z", line(minutes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_limit_is_the_top_and_the_newest_is_at_the_right() {
        let drawn = sparkline(&[Some(0.0), Some(200.0)], 200.0, "x").into_string();
        assert!(drawn.contains("d=\"M58 19.0H59V1.0H60\""), "{drawn}");
        assert!(drawn.contains("d=\"M58 19.0H59V1.0H60V20H58Z\""), "{drawn}");
    }

    #[test]
    fn the_line_lies_beside_its_area_and_not_in_it() {
        let drawn = sparkline(&[Some(1.0)], 2.0, "x").into_string();
        // HTML has no element that ends by itself within SVG.
        assert_eq!(drawn.matches("></path>").count(), 2, "{drawn}");
    }

    #[test]
    fn a_gap_is_not_drawn_over() {
        assert_eq!(stretches(&[Some(1.0), None, None, Some(1.0)], 2.0).len(), 2);
        assert_eq!(stretches(&[None, Some(f64::NAN)], 2.0).len(), 0);
        assert_eq!(stretches(&[], 2.0).len(), 0);
    }

    proptest! {
        #[test]
        fn whatever_is_drawn_lies_in_the_box_and_is_made_of_numbers(
            values in proptest::collection::vec(proptest::option::of(any::<f64>()), 0..100),
            top in any::<f64>(),
        ) {
            for stretch in stretches(&values, top) {
                for (x, y) in &stretch {
                    prop_assert!(*x < WIDTH && (1.0..=19.0).contains(y), "{x} {y}");
                }
                let path = area(&stretch);
                prop_assert!(path.chars().all(|c| c.is_ascii_digit() || "MHV Z.".contains(c)), "{path}");
            }
        }

        #[test]
        fn no_label_leaves_its_attribute(label in any::<String>()) {
            let drawn = sparkline(&[], 1.0, &label).into_string();
            let (_, rest) = drawn.split_once("aria-label=\"").unwrap_or_default();
            let (inside, after) = rest.split_once('"').unwrap_or_default();
            prop_assert!(!inside.contains(['<', '>']) && after == "></svg>", "{drawn}");
        }
    }
}
