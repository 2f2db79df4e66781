(* What the theorems rest on: Coq's axioms for the real numbers, and nothing of ours. The last line is the only one
   with more, the processor's integers: it has digits, which interval arithmetic computes. *)
From Coq Require Import Reals List.
From GradTheory Require Import chain two_point class_n interval sigmoid sharp identity corollaries neuron_width log_concave erf
  arctan angle softsign limit cloglog digits.

Print Assumptions gradient_is_derivative.
Print Assumptions explosion_set_is_interval.
Print Assumptions depth_never_widens.
Print Assumptions explosion_width.
Print Assumptions tanh_explosion_width.
Print Assumptions width_is_sharp.
Print Assumptions log_concave_explosion_width.
Print Assumptions arctan_explosion_width.
Print Assumptions softsign_explosion_width.
Print Assumptions softsign_widens.
Print Assumptions H_is_the_least.

(* The others, all together. *)
Definition the_others :=
  ((two_point_composition, two_point_chain, last_layer_bounds_chain, uniform_chain_bound, width_of_pair_bound, class_N_two_point,
    class_N_three_point, three_point_composition, three_point_chain, slope_above_between, explosion_set_is_open),
   (sigmoid_explosion_set_is_interval, sigmoid_explosion_set_is_open, tanh_explosion_set_is_interval,
    s_unique, K_is_the_greatest, sigmoid_pair_bound, sigmoid_last, tanh_pair_bound, tanh_depth_never_widens),
   (deeper_attains, attains_at_every_depth, tanh_width_is_sharp, K_cannot_be_lowered),
   (two_point_identity_squared, two_point_identity, shrinkage_bounds, exact_width),
   (at_most_one_input_explodes, explosion_here_means_vanishing_elsewhere, bias_window, weight_window, recurrent_window),
   (neuron_width_exists, neuron_width_is_sharp, log_concave_class_N, log_concave_pair_bound, log_concave_depth_never_widens,
    log_concave_explosion_set_is_interval, log_concave_width_is_sharp, sigmoid_neuron_width, error_function_neuron_width,
    error_function_depth_never_widens),
   (arctan_pair_bound, arctan_last, arctan_depth_never_widens, arctan_explosion_set_is_interval, arctan_width_is_sharp),
   (angle_pair_bound, isru_neuron_width, isru_depth_never_widens),
   (softsign_pair_bound, softsign_pairs, softsign_explosion_set_is_interval, softsign_neuron_width,
    softsign_neuron_width_is_sharp, softsign_linear_piece, softsign_widens_at_depth_two),
   (deep_chains_attain, pair_width_exists, width_at_most_H, deep_chains_approach_H)).
Print Assumptions the_others.

(* Computed, by interval arithmetic. *)
Definition computed :=
  (s_digits, K_digits, cloglog_neuron_width, cloglog_pair_bound, cloglog_explosion_width, cloglog_widens).
Print Assumptions computed.
