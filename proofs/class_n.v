(* The class N: activations whose slope is 1/v² with v > 0 convex.

   Möbius maps z ↦ (αz + β)/(γz + δ) are those for which v is affine. Where v lies below an affine function, the activation grows
   at least as the Möbius map of that function, and where above, at most. This gives the activations of the class two inequalities
   which Möbius maps satisfy with equality, and which, unlike v, are made for composing:

     two points:    σ'(x) σ'(y) (y − x)² ≤ (σ(y) − σ(x))²,
     three points:  σ'(x) (σ(y) − σ(t))² (y − x)² ≤ σ'(t) (σ(y) − σ(x))² (y − t)²   for t between x and y.

   For thrice differentiable σ the class is: Schwarzian derivative ≤ 0. Nothing here needs a second derivative. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From GradTheory Require Import convex chain two_point.
Open Scope R_scope.

Definition between x t y := x <= t <= y \/ y <= t <= x.

Definition three_point (f f' : R -> R) := forall x t y, between x t y ->
  Rabs (f' x) * (f y - f t) ^ 2 * (y - x) ^ 2 <= Rabs (f' t) * (f y - f x) ^ 2 * (y - t) ^ 2.

Definition class_N (a : activation) :=
  exists v, convex v /\ (forall z, 0 < v z) /\ (forall z, slope a z = / v z ^ 2).

(* The Möbius map that is 0 at a and has the slope 1/(k + mz)². *)
Lemma mobius_derive k m a z : k + m * a <> 0 -> k + m * z <> 0 ->
  is_derive (fun z => (z - a) / ((k + m * a) * (k + m * z))) z (/ (k + m * z) ^ 2).
Proof. intros A Z. auto_derive; [now apply Rmult_integral_contrapositive | field; auto]. Qed.

Lemma inverse_squares_fall p q : 0 < p -> p <= q -> / q ^ 2 <= / p ^ 2.
Proof. intros. apply Rinv_le_contravar; [nra |]. apply pow_incr. lra. Qed.

Section Slope_one_over_v_squared.
  Variables f v : R -> R.
  Hypothesis f_derive : forall z, is_derive f z (/ v z ^ 2).
  Hypothesis v_positive : forall z, 0 < v z.
  Hypothesis v_convex : convex v.

  Lemma grows_at_least a b k m : a <= b -> (forall z, a <= z <= b -> v z <= k + m * z) ->
    (b - a) / ((k + m * a) * (k + m * b)) <= f b - f a.
  Proof.
    intros L V.
    assert (P : forall z, a <= z <= b -> 0 < k + m * z).
    { intros z Hz. specialize (V z Hz). specialize (v_positive z). lra. }
    pose proof (P a ltac:(lra)). pose proof (P b ltac:(lra)).
    replace ((b - a) / ((k + m * a) * (k + m * b)))
      with ((b - a) / ((k + m * a) * (k + m * b)) - (a - a) / ((k + m * a) * (k + m * a))) by (field; lra).
    apply (faster_grows_more f (fun z => (z - a) / ((k + m * a) * (k + m * z)))
             (fun z => / v z ^ 2) (fun z => / (k + m * z) ^ 2)); intros; [lra | apply f_derive | |].
    - apply mobius_derive; apply Rgt_not_eq, P; lra.
    - apply inverse_squares_fall; auto.
  Qed.

  Lemma grows_at_most a b k m : a <= b -> (forall z, a <= z <= b -> 0 < k + m * z <= v z) ->
    f b - f a <= (b - a) / ((k + m * a) * (k + m * b)).
  Proof.
    intros L V. pose proof (V a ltac:(lra)). pose proof (V b ltac:(lra)).
    replace ((b - a) / ((k + m * a) * (k + m * b)))
      with ((b - a) / ((k + m * a) * (k + m * b)) - (a - a) / ((k + m * a) * (k + m * a))) by (field; lra).
    apply (faster_grows_more (fun z => (z - a) / ((k + m * a) * (k + m * z))) f
             (fun z => / (k + m * z) ^ 2) (fun z => / v z ^ 2)); intros; [lra | | apply f_derive |].
    - apply mobius_derive; apply Rgt_not_eq; apply V; lra.
    - apply inverse_squares_fall; apply V; auto.
  Qed.

  Lemma increases a b : a < b -> f a < f b.
  Proof.
    intros L. destruct (MVT_cor2 f (fun z => / v z ^ 2) a b L) as [c [E _]].
    - intros c _. apply is_derive_Reals, f_derive.
    - pose proof (Rinv_0_lt_compat _ (pow_lt (v c) 2 (v_positive c))). nra.
  Qed.

  (* The chord of v through x and y, written k + mz; v is below it between x and y, and above it beyond. *)
  Section Chord.
    Variables x y : R.
    Hypothesis x_lt_y : x < y.
    Let m := (v y - v x) / (y - x).
    Let k := v x - m * x.

    Lemma chord_left : k + m * x = v x.
    Proof. unfold k. ring. Qed.

    Lemma chord_right : k + m * y = v y.
    Proof. unfold k, m. field. lra. Qed.

    Lemma chord_times z : (k + m * z) * (y - x) = v x * (y - z) + v y * (z - x).
    Proof. unfold k, m. field. lra. Qed.

    Lemma below_chord z : x <= z <= y -> v z <= k + m * z.
    Proof.
      intros Z. apply (Rmult_le_reg_r (y - x)); [lra |]. rewrite chord_times.
      destruct (Req_dec z x) as [-> |]; [lra |]. destruct (Req_dec z y) as [-> |]; [lra |].
      apply v_convex. lra.
    Qed.

    Lemma above_chord z : y <= z -> k + m * z <= v z.
    Proof.
      intros Z. apply (Rmult_le_reg_r (y - x)); [lra |]. rewrite chord_times.
      destruct (Req_dec z y) as [-> |]; [lra |].
      pose proof (v_convex x y z ltac:(lra)). lra.
    Qed.
  End Chord.

  Lemma two_point_increase x y : x <= y -> (y - x) / (v x * v y) <= f y - f x.
  Proof.
    intros [L | <-]; [| right; unfold Rdiv; ring].
    pose proof (grows_at_least x y _ _ (Rlt_le _ _ L) (below_chord x y L)) as G.
    rewrite chord_left, chord_right in G by exact L. exact G.
  Qed.

  Lemma three_point_increase x t y : x < t < y -> v t * (f y - f t) * (y - x) <= v x * (f y - f x) * (y - t).
  Proof.
    intros [X Y].
    pose proof (chord_left x t) as LX. pose proof (chord_right x t X) as LT.
    pose proof (above_chord x t X) as A.
    pose proof (two_point_increase x t ltac:(lra)) as G.
    set (m := (v t - v x) / (t - x)) in *. set (k := v x - m * x) in *.
    pose proof (v_positive x) as PX. pose proof (v_positive t) as PT.
    pose proof (increases x t X) as IX. pose proof (increases t y Y) as IY.
    (* the chord at y, by its values at x and t *)
    assert (E : v t * (y - x) = v x * (y - t) + (k + m * y) * (t - x)) by (rewrite <- LX, <- LT; ring).
    destruct (Rle_dec (k + m * y) 0) as [N | P].
    - assert ((k + m * y) * (t - x) <= 0) by nra.
      assert (v t * (y - x) <= v x * (y - t)) by lra.
      assert (v t * (y - x) * (f y - f t) <= v x * (y - t) * (f y - f t)) by (apply Rmult_le_compat_r; lra).
      assert (0 <= v x * (y - t) * (f t - f x)) by (apply Rmult_le_pos; nra). lra.
    - apply Rnot_le_lt in P.
      assert (G' : f y - f t <= (y - t) / ((k + m * t) * (k + m * y))).
      { apply grows_at_most; [lra |]. intros z Z. split; [| apply A; lra].
        (* an affine function that is positive at t and at y is positive between *)
        rewrite <- LT in PT. nra. }
      rewrite LT in G'. set (l := k + m * y) in *.
      assert (U : v t * l * (f y - f t) <= y - t).
      { apply (Rmult_le_compat_l (v t * l)) in G'; [| nra].
        replace (v t * l * ((y - t) / (v t * l))) with (y - t) in G' by (field; lra). exact G'. }
      assert (W : t - x <= v x * v t * (f t - f x)).
      { apply (Rmult_le_compat_l (v x * v t)) in G; [| nra].
        replace (v x * v t * ((t - x) / (v x * v t))) with (t - x) in G by (field; lra). exact G. }
      (* l (t − x)(f y − f t) ≤ v x (y − t)(f t − f x) *)
      assert (Q : l * (t - x) * (f y - f t) <= v x * (y - t) * (f t - f x)).
      { apply (Rmult_le_reg_l (v t)); [exact PT |].
        apply Rle_trans with ((y - t) * (t - x)).
        - replace (v t * (l * (t - x) * (f y - f t))) with (v t * l * (f y - f t) * (t - x)) by ring.
          apply Rmult_le_compat_r; lra.
        - replace (v t * (v x * (y - t) * (f t - f x))) with ((y - t) * (v x * v t * (f t - f x))) by ring.
          apply Rmult_le_compat_l; lra. }
      replace (v t * (f y - f t) * (y - x)) with (v t * (y - x) * (f y - f t)) by ring.
      rewrite E. lra.
  Qed.
End Slope_one_over_v_squared.

Lemma class_N_slope_positive a z : class_N a -> 0 < slope a z.
Proof. intros (v & _ & P & S). rewrite S. apply Rinv_0_lt_compat, pow_lt, P. Qed.

Lemma class_N_derive a v : (forall z, slope a z = / v z ^ 2) -> forall z, is_derive (value a) z (/ v z ^ 2).
Proof. intros S z. rewrite <- S. apply slope_is_derivative. Qed.

Theorem class_N_two_point a : class_N a -> two_point_activation a.
Proof.
  intros N.
  assert (W : forall x y, x <= y -> Rabs (slope a x) * Rabs (slope a y) * (y - x) ^ 2 <= (value a y - value a x) ^ 2).
  { intros x y L. rewrite !Rabs_pos_eq by (left; now apply class_N_slope_positive).
    destruct N as (v & C & P & S). rewrite !S.
    pose proof (two_point_increase _ v (class_N_derive a v S) P C x y L) as G.
    pose proof (P x). pose proof (P y).
    replace (/ v x ^ 2 * / v y ^ 2 * (y - x) ^ 2) with (((y - x) / (v x * v y)) ^ 2) by (field; lra).
    apply pow_incr. split; [| exact G]. apply Rdiv_le_0_compat; nra. }
  intros x y. destruct (Rle_dec x y) as [L | L]; [now apply W |].
  replace ((value a y - value a x) ^ 2) with ((value a x - value a y) ^ 2) by ring.
  replace (Rabs (slope a x) * Rabs (slope a y) * (y - x) ^ 2)
    with (Rabs (slope a y) * Rabs (slope a x) * (x - y) ^ 2) by ring.
  apply W. lra.
Qed.

Lemma class_N_monotone a x y : class_N a -> x <= y -> value a x <= value a y.
Proof.
  intros (v & C & P & S) [L | <-]; [| lra]. left. exact (increases _ v (class_N_derive a v S) P x y L).
Qed.

(* From the inequality without squares, with u = v x, w = v t. *)
Lemma squares u w p q : 0 < u -> 0 < w -> 0 <= p -> w * p <= u * q -> / u ^ 2 * p ^ 2 <= / w ^ 2 * q ^ 2.
Proof.
  intros U W P H.
  apply (Rmult_le_reg_l (u ^ 2 * w ^ 2)); [apply Rmult_lt_0_compat; now apply pow_lt |].
  replace (u ^ 2 * w ^ 2 * (/ u ^ 2 * p ^ 2)) with ((w * p) ^ 2) by (field; lra).
  replace (u ^ 2 * w ^ 2 * (/ w ^ 2 * q ^ 2)) with ((u * q) ^ 2) by (field; lra).
  apply pow_incr. nra.
Qed.

Theorem class_N_three_point a : class_N a -> three_point (value a) (slope a).
Proof.
  intros N x t y B. rewrite !Rabs_pos_eq by (left; now apply class_N_slope_positive).
  destruct (Req_dec t x) as [-> |]; [lra |].
  destruct (Req_dec t y) as [-> |]; [right; ring |].
  pose proof (class_N_monotone a) as M.
  destruct N as (v & C & P & S). rewrite !S. pose proof (class_N_derive a v S) as D.
  rewrite !Rmult_assoc, <- !Rpow_mult_distr.
  destruct B as [B | B].
  - apply squares; [apply P | apply P | |].
    + pose proof (increases _ v D P t y ltac:(lra)). nra.
    + pose proof (three_point_increase _ v D P C x t y ltac:(lra)). lra.
  - (* the mirror image z ↦ −σ(−z) *)
    assert (D' : forall z, is_derive (fun z => - value a (- z)) z (/ v (- z) ^ 2)).
    { intros z. evar_last.
      - apply @is_derive_opp. apply (is_derive_comp (value a) Ropp z (/ v (- z) ^ 2) (- 1)); [apply D |].
        auto_derive; [exact I | ring].
      - unfold opp, scal; simpl; unfold mult; simpl. ring. }
    assert (C' : convex (fun z => v (- z))).
    { intros p q r L. pose proof (C (- r) (- q) (- p) ltac:(lra)). lra. }
    pose proof (three_point_increase _ _ D' (fun z => P (- z)) C' (- x) (- t) (- y) ltac:(lra)) as G.
    cbv beta in G. rewrite !Ropp_involutive in G.
    replace (value a y - value a t) with (- (value a t - value a y)) by ring.
    replace (value a y - value a x) with (- (value a x - value a y)) by ring.
    replace (- (value a t - value a y) * (y - x)) with ((value a t - value a y) * (x - y)) by ring.
    replace (- (value a x - value a y) * (y - t)) with ((value a x - value a y) * (t - y)) by ring.
    apply squares; [apply P | apply P | |].
    + pose proof (increases _ v D P y t ltac:(lra)). nra.
    + lra.
Qed.
