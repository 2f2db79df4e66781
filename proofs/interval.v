(* The explosion set {x : |f'(x)| > c} is an interval: if |f'| > c at x and at y, then at every t between.

   The three-point inequality |f'(x)| (f(y) − f(t))² (y − x)² ≤ |f'(t)| (f(y) − f(x))² (y − t)² for t between x and y passes to
   compositions: multiply that of g at h(x), h(t), h(y) by that of h at x, t, y, and (h(y) − h(t))² (h(y) − h(x))² cancels. So it
   holds for every chain of activations in class N. It suffices: the mean slope of f over [x, y] is a weighted mean of those over
   [x, t] and [t, y], so one of the two is at least the mean, say that over [t, y]; then the inequality says |f'(t)| ≥ |f'(x)|, and
   otherwise its mirror image |f'(t)| ≥ |f'(y)|. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
From GradTheory Require Import convex chain two_point class_n activations.
Import ListNotations.
Open Scope R_scope.

Definition keeps_between (f : R -> R) := forall x t y, between x t y -> between (f x) (f t) (f y).

Lemma keeps_between_affine w b : keeps_between (fun x => w * x + b).
Proof. intros x t y. unfold between. destruct (Rle_dec 0 w); nra. Qed.

Lemma three_point_affine w b : three_point (fun x => w * x + b) (fun _ => w).
Proof. intros x t y _. right. ring. Qed.

Lemma keeps_between_class_N a : class_N a -> keeps_between (value a).
Proof. intros N x t y [[X Y] | [Y X]]; [left | right]; split; now apply class_N_monotone. Qed.

Theorem three_point_composition g g' h h' :
  three_point g g' -> three_point h h' -> keeps_between h ->
  three_point (fun x => g (h x)) (fun x => g' (h x) * h' x).
Proof.
  intros G H B x t y T.
  specialize (H x t y T). specialize (B x t y T). specialize (G _ _ _ B). rewrite !Rabs_mult.
  assert (N : 0 <= Rabs (g' (h t)) * Rabs (h' t) * (g (h y) - g (h x)) ^ 2 * (y - t) ^ 2).
  { apply Rmult_le_pos; [| apply pow2_ge_0]. apply Rabs_times, pow2_ge_0. }
  destruct (Req_dec (h y) (h t)) as [E | Dt].
  { replace (g (h y) - g (h t)) with 0 by (rewrite E; ring). lra. }
  destruct (Req_dec (h y) (h x)) as [E | Dx]; [unfold between in B; lra |].
  set (a := Rabs (g' (h x))) in *. set (b := Rabs (h' x)) in *.
  set (a' := Rabs (g' (h t))) in *. set (b' := Rabs (h' t)) in *.
  assert (P : 0 < (h y - h x) ^ 2 * (h y - h t) ^ 2).
  { apply Rmult_lt_0_compat; rewrite <- Rsqr_pow2; apply Rsqr_pos_lt; lra. }
  apply (Rmult_le_reg_l _ _ _ P).
  replace ((h y - h x) ^ 2 * (h y - h t) ^ 2 * (a * b * (g (h y) - g (h t)) ^ 2 * (y - x) ^ 2))
    with ((a * (g (h y) - g (h t)) ^ 2 * (h y - h x) ^ 2) * (b * (h y - h t) ^ 2 * (y - x) ^ 2)) by ring.
  replace ((h y - h x) ^ 2 * (h y - h t) ^ 2 * (a' * b' * (g (h y) - g (h x)) ^ 2 * (y - t) ^ 2))
    with ((a' * (g (h y) - g (h x)) ^ 2 * (h y - h t) ^ 2) * (b' * (h y - h x) ^ 2 * (y - t) ^ 2)) by ring.
  apply Rmult_le_compat; [| | exact G | exact H];
    (apply Rmult_le_pos; [apply Rmult_le_pos |]; [apply Rabs_pos | apply pow2_ge_0 | apply pow2_ge_0]).
Qed.

Lemma three_point_neuron l : class_N (act l) -> three_point (neuron l) (neuron_slope l) /\ keeps_between (neuron l).
Proof.
  intros N. split.
  - intros x t y T. rewrite <- !commute_slopes.
    exact (three_point_composition _ _ _ _ (class_N_three_point _ N) (three_point_affine (weight l) (bias l))
      (keeps_between_affine (weight l) (bias l)) x t y T).
  - intros x t y T. apply (keeps_between_class_N _ N). now apply (keeps_between_affine (weight l) (bias l)).
Qed.

Theorem three_point_chain c : Forall (fun l => class_N (act l)) c -> three_point (output c) (gradient c).
Proof.
  induction 1 as [| l rest N _ IH]; simpl.
  - intros x t y _. right. ring.
  - destruct (three_point_neuron l N) as [T B].
    exact (three_point_composition (output rest) (gradient rest) _ _ IH T B).
Qed.

(* From the two inequalities: a slope above c on both sides is above c between. *)
Theorem slope_above_between f f' c x t y :
  two_point f f' -> three_point f f' -> 0 <= c -> x < t < y -> c < Rabs (f' x) -> c < Rabs (f' y) -> c < Rabs (f' t).
Proof.
  intros W T C [XT TY] X Y.
  pose proof (T x t y ltac:(left; lra)) as L. pose proof (T y t x ltac:(right; lra)) as R. specialize (W x y).
  set (p := f y - f t) in *. replace (f x - f t) with (- (f t - f x)) in R by ring. set (q := f t - f x) in *.
  replace (f y - f x) with (p + q) in * by (unfold p, q; ring).
  replace (f x - f y) with (- (p + q)) in R by (unfold p, q; ring).
  replace (x - y) with (- (y - x)) in R by ring. replace (x - t) with (- (t - x)) in R by ring.
  set (a := y - t) in *. set (b := t - x) in *. assert (A : 0 < a) by (unfold a; lra). assert (B : 0 < b) by (unfold b; lra).
  replace (y - x) with (a + b) in * by (unfold a, b; ring).
  set (u := Rabs (f' x)) in *. set (v := Rabs (f' y)) in *. set (w := Rabs (f' t)) in *.
  assert (D : 0 < (p + q) ^ 2).
  { apply Rlt_le_trans with (2 := W). repeat apply Rmult_lt_0_compat; try lra. }
  (* the slope at t is at least that at a point whose side has at least its share of the growth *)
  assert (S : forall k r e, k * r ^ 2 * (a + b) ^ 2 <= w * (p + q) ^ 2 * e ^ 2 -> c < k -> 0 < e ->
    Rabs (p + q) * e <= Rabs r * (a + b) -> c < w).
  { intros k r e I K E M.
    assert (M2 : (p + q) ^ 2 * e ^ 2 <= r ^ 2 * (a + b) ^ 2).
    { rewrite <- !Rpow_mult_distr, <- (pow2_abs ((p + q) * e)), <- (pow2_abs (r * (a + b))).
      rewrite !Rabs_mult, (Rabs_pos_eq e), (Rabs_pos_eq (a + b)) by lra.
      apply pow_incr. split; [| exact M]. apply Rmult_le_pos; [apply Rabs_pos | lra]. }
    apply Rlt_le_trans with (1 := K).
    assert (Q : 0 < (p + q) ^ 2 * e ^ 2) by (apply Rmult_lt_0_compat; [exact D | now apply pow_lt]).
    apply (Rmult_le_reg_r _ _ _ Q). nra. }
  destruct (Rle_dec (Rabs (p + q) * a) (Rabs p * (a + b))) as [M | M].
  - now apply (S u p a).
  - apply (S v q b); [| exact Y | exact B |].
    + replace (q ^ 2) with ((- q) ^ 2) by ring. replace ((a + b) ^ 2) with ((- (a + b)) ^ 2) by ring.
      replace ((p + q) ^ 2) with ((- (p + q)) ^ 2) by ring. replace (b ^ 2) with ((- b) ^ 2) by ring. exact R.
    + pose proof (Rabs_triang p q). nra.
Qed.

Theorem explosion_set_is_interval chain c x t y :
  Forall (fun l => class_N (act l)) chain -> 0 <= c -> x < t < y ->
  c < Rabs (gradient chain x) -> c < Rabs (gradient chain y) -> c < Rabs (gradient chain t).
Proof.
  intros N. apply (slope_above_between (output chain)).
  - apply two_point_chain. revert N. apply Forall_impl. intros l. apply class_N_two_point.
  - now apply three_point_chain.
Qed.

Corollary sigmoid_explosion_set_is_interval parameters c x t y :
  0 <= c -> x < t < y -> let f' := gradient (uniform sigmoid parameters) in
  c < Rabs (f' x) -> c < Rabs (f' y) -> c < Rabs (f' t).
Proof. apply explosion_set_is_interval. apply (Forall_uniform class_N), sigmoid_class_N. Qed.

Corollary tanh_explosion_set_is_interval parameters c x t y :
  0 <= c -> x < t < y -> let f' := gradient (uniform hyperbolic_tangent parameters) in
  c < Rabs (f' x) -> c < Rabs (f' y) -> c < Rabs (f' t).
Proof. apply explosion_set_is_interval. apply (Forall_uniform class_N), hyperbolic_tangent_class_N. Qed.

(* It is an open interval, so |f'| = c at its ends: where slopes are continuous, |f'| > c at x means |f'| > c near x. *)
Theorem explosion_set_is_open chain c x :
  Forall (fun l => forall z, continuous (slope (act l)) z) chain -> c < Rabs (gradient chain x) ->
  exists delta, 0 < delta /\ forall y, Rabs (y - x) < delta -> c < Rabs (gradient chain y).
Proof.
  intros C X.
  assert (G : continuous (fun y => Rabs (gradient chain y)) x).
  { apply (continuous_comp (gradient chain) Rabs); [now apply gradient_continuous | apply continuous_Rabs]. }
  destruct (G (fun r => c < r)) as [delta H].
  - exists (mkposreal (Rabs (gradient chain x) - c) ltac:(lra)). intros r B.
    unfold ball in B; simpl in B; unfold AbsRing_ball, abs, minus, plus, opp in B; simpl in B.
    apply Rabs_def2 in B. lra.
  - exists delta. split; [apply cond_pos |]. intros y Y. now apply H.
Qed.

Corollary sigmoid_explosion_set_is_open parameters c x : let f' := gradient (uniform sigmoid parameters) in
  c < Rabs (f' x) -> exists delta, 0 < delta /\ forall y, Rabs (y - x) < delta -> c < Rabs (f' y).
Proof.
  apply explosion_set_is_open. apply (Forall_uniform (fun a => forall z, continuous (slope a) z)).
  apply sigmoid_slope_continuous.
Qed.
